import { describe, expect, it } from 'vitest';
import { findImportBreaches } from '../support/import-rules.js';
import { readTree } from '../support/repository.js';

describe('the import rules of lib', () => {
  it('hold in every file', () => {
    const sources = readTree('lib', '.ts');

    expect(sources.size).toBeGreaterThan(0);
    expect(findImportBreaches(sources)).toEqual([]);
  });
});

// Negative control: a checker that finds nothing must not pass for a tree that breaks nothing.
describe('the import checker', () => {
  const breaches = (files: Record<string, string>): string[] =>
    findImportBreaches(new Map(Object.entries(files)));

  it.each([
    ['a layer above', 'lib/core/a.ts', `import { b } from '../nest/b.js';`, 'core must not import nest'],
    [
      'a type of a layer above',
      'lib/core/a.ts',
      `import type { B } from '../nest/b.js';`,
      'core must not import nest',
    ],
    [
      'a re-export of a layer above',
      'lib/protocol/a.ts',
      `export * from '../nest/b.js';`,
      'protocol must not import nest',
    ],
    ['a type in place', 'lib/core/a.ts', `let b: import('../nest/b.js').B;`, 'core must not import nest'],
    ['a lazy import', 'lib/core/a.ts', `await import('../nest/b.js');`, 'core must not import nest'],
    [
      'testing from the entry',
      'lib/index.ts',
      `export * from './testing/b.js';`,
      'index must not import testing',
    ],
    ['testing from a layer', 'lib/nest/a.ts', `import '../testing/b.js';`, 'nest must not import testing'],
    [
      'an optional layer from the entry',
      'lib/index.ts',
      `export * from './redis/b.js';`,
      'index must not import redis',
    ],
    ['ws in core', 'lib/core/a.ts', `import type { WebSocket } from 'ws';`, 'imports ws: core must not'],
    ['ws in nest', 'lib/nest/a.ts', `import { WebSocketServer } from 'ws';`, 'imports ws: nest must not'],
    [
      'a built-in in protocol',
      'lib/protocol/a.ts',
      `import 'node:crypto';`,
      'imports node:crypto: protocol must not',
    ],
    [
      'a built-in in client',
      'lib/client/a.ts',
      `import 'node:events';`,
      'imports node:events: client must not',
    ],
    ['a server from its command', 'lib/cli/a.ts', `import '../nest/b.js';`, 'cli must not import nest'],
    [
      'Nest in the command',
      'lib/cli/a.ts',
      `import '@nestjs/common';`,
      'imports @nestjs/common: cli must not',
    ],
    ['http in core', 'lib/core/a.ts', `import 'node:http';`, 'imports node:http: core must not'],
    ['a built-in without node:', 'lib/nest/a.ts', `import 'crypto';`, 'imports crypto: nest must not'],
    ['Nest in core', 'lib/core/a.ts', `import { Logger } from '@nestjs/common';`, 'core must not import it'],
    ['a package of a longer name', 'lib/transport/a.ts', `import 'wsx';`, 'imports wsx: transport must not'],
    ['require', 'lib/core/a.ts', `const x = require('ioredis');`, 'imports ioredis: core must not'],
    [
      'the inside of Nest',
      'lib/nest/a.ts',
      `import '@nestjs/core/injector/x.js';`,
      'belongs in lib/nest/nest-internals.ts',
    ],
    ['no suffix', 'lib/core/a.ts', `import '../codec/b';`, 'without a .js suffix'],
    ['a folder', 'lib/core/a.ts', `import '..';`, 'without a .js suffix'],
    ['a file outside lib', 'lib/core/a.ts', `import '../../test/b.js';`, 'outside lib'],
    ['a missing file', 'lib/core/a.ts', `import './nowhere.js';`, 'does not exist'],
  ])('reports %s', (_what, path, text, message) => {
    const neighbours = ['core', 'codec', 'nest', 'redis', 'testing'].map((name) => [`lib/${name}/b.ts`, '']);

    const found = breaches({ ...Object.fromEntries(neighbours), [path]: text });

    expect(found).toEqual([expect.stringContaining(message)]);
    expect(found[0]).toContain(`${path}:1 `);
  });

  it('reports a folder without rules', () => {
    expect(breaches({ 'lib/helpers/a.ts': '', 'lib/helpers/b.ts': '' })).toEqual([
      expect.stringContaining('lib/helpers is in no layer'),
    ]);
  });

  it('reports a cycle of files once', () => {
    const found = breaches({
      'lib/core/a.ts': `import { b } from './b.js';`,
      'lib/core/b.ts': `export { c } from './c.js';`,
      'lib/core/c.ts': `import './a.js';`,
    });

    expect(found).toEqual(['import cycle: lib/core/a.ts -> lib/core/b.ts -> lib/core/c.ts -> lib/core/a.ts']);
  });

  it('takes a circle through types for no cycle', () => {
    const found = breaches({
      'lib/core/a.ts': `import type { B } from './b.js'; import { type C } from './b.js'; export type { D } from './b.js';`,
      'lib/core/b.ts': `import { a } from './a.js';`,
    });

    expect(found).toEqual([]);
  });

  it('accepts what the table allows', () => {
    const found = breaches({
      'lib/codec/c.ts': '',
      'lib/core/a.ts': `import { randomBytes } from 'node:crypto'; import './b.js';`,
      'lib/core/b.ts': `import { c } from '../codec/c.js';`,
      'lib/transport/ws/a.ts': `import { WebSocketServer } from 'ws'; import 'node:http'; import '../../core/a.js';`,
      'lib/nest/nest-internals.ts': `import '@nestjs/core/injector/x.js'; import 'rxjs/operators';`,
      'lib/testing/a.ts': `import 'ws'; import '../nest/nest-internals.js';`,
      'lib/index.ts': `export { a } from './core/a.js';`,
    });

    expect(found).toEqual([]);
  });
});

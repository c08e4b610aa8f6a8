import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findDocsFaults } from '../support/docs-code.js';
import { readTree, ROOT } from '../support/repository.js';

// A compiler starts cold here, next to the other tests of the run.
const COMPILER_TIMEOUT_MS = 120_000;

describe('the code in README.md and docs', () => {
  it(
    'compiles, parses and names scripts that exist',
    () => {
      const documents = readTree('docs', '.md');
      documents.set('README.md', readFileSync(join(ROOT, 'README.md'), 'utf8'));

      expect(findDocsFaults(documents)).toEqual([]);
    },
    COMPILER_TIMEOUT_MS,
  );
});

// Negative control: a checker that overlooks a fault must not pass for documents without one.
describe('the checker of code in documents', () => {
  const faults = (...lines: string[]): string[] => findDocsFaults(new Map([['guide.md', lines.join('\n')]]));

  it.each([
    ['no language', ['```', 'x', '```'], 'guide.md:1 the code block has no language'],
    ['an unknown language', ['```toml', 'x = 1', '```'], 'guide.md:2 nothing checks "toml"'],
    ['an unknown option', ['```ts twoslash', '```'], 'guide.md:1 unknown option "twoslash"'],
    ['an open block', ['text', '```ts', 'x'], 'guide.md:2 the code block is never closed'],
    ['broken JSON', ['```json', '{ "a": 1, }', '```'], 'guide.md:2 SyntaxError'],
    ['JSON with comments', ['```json', '// why', '{}', '```'], 'guide.md:2 SyntaxError'],
    ['broken YAML', ['```yaml', 'a: [1', '```'], 'guide.md:2 YAMLParseError'],
    ['a key of YAML twice', ['```yaml', 'a: 1', 'a: 2', '```'], 'guide.md:2 YAMLParseError'],
    ['a broken script', ['```html', '<p>', '<script>', 'let = ;', '</script>', '```'], 'guide.md:4 TS1'],
    ['types in a script', ['```html', '<script>let a: number;</script>', '```'], 'guide.md:2 TS8010'],
    ['another program', ['```sh', 'npm ci', 'curl x', '```'], 'guide.md:3 "curl x" is neither'],
    ['a missing script', ['```sh', 'npm ci && npm run nope', '```'], 'has no script "nope"'],
    ['a copy that differs', ['```sh file=.ci/run', 'npm ci', '```'], 'guide.md:2 differs from .ci/run'],
    ['a copy of nothing', ['```js file=nowhere.js', '```'], 'guide.md:2 there is no nowhere.js'],
    ['another npm verb', ['```sh', 'npm publish', '```'], 'guide.md:2 "npm publish": only'],
  ])('reports %s', (_what, lines, message) => {
    expect(faults(...lines)[0]).toContain(message);
  });

  it(
    'reports types that do not fit, names without an import and names that are taken, at their lines',
    () => {
      const found = faults(
        '```ts',
        'const ok = 1;',
        'const wrong: string = ok;',
        '```',
        '1. In a list:',
        '   ```ts name=greeting.ts',
        "   export const greeting: string = 'hi';",
        '   ```',
        '```ts',
        "import { greeting } from './greeting.js';",
        'export const size: number = greeting.length + ok;',
        '```',
        '```ts name=greeting.ts',
        'export const greeting = 1;',
        '```',
      );

      expect(found).toEqual([
        expect.stringContaining('guide.md:14 a second block is named greeting.ts'),
        expect.stringContaining('guide.md:3 TS2322'),
        expect.stringContaining('guide.md:11 TS2304'),
      ]);
    },
    COMPILER_TIMEOUT_MS,
  );

  it(
    'accepts sound blocks, with the packages that a reader has installed',
    () => {
      const found = faults(
        '```text',
        'anything { at all',
        '```',
        '```yaml',
        'a: [1, 2] # why',
        '```',
        '```sh',
        'npm ci && npm test',
        'npm run build',
        'npx nest --version',
        '```',
        '```json',
        '{ "a": 1 }',
        '```',
        '````html',
        '<script type="module">',
        "import { a } from './a.js';",
        'await a();',
        '</script>',
        '````',
        '```ts',
        "import { Injectable } from '@nestjs/common';",
        '@Injectable()',
        'export class Cats {}',
        '```',
      );

      expect(found).toEqual([]);
    },
    COMPILER_TIMEOUT_MS,
  );
});

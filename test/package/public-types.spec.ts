import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, it } from 'vitest';

const DIST = fileURLToPath(new URL('../../dist/', import.meta.url));

/** All but `redis` and `metrics`, whose users have ioredis and prom-client. */
const ENTRIES = [
  'index.d.ts',
  'client/index.d.ts',
  'client/storage/index.d.ts',
  'health/index.d.ts',
  'inspector/index.d.ts',
  'protocol/index.d.ts',
  'publisher/index.d.ts',
  'testing/index.d.ts',
  'throttler/index.d.ts',
];

/** What a user must not need, to compile against the entry: `@types/ws` is nobody's peer. */
const HIDDEN = /^(ws|ioredis|prom-client)$/;

/** Packages that the declarations of an entry bring in, each with the file that does. */
function packagesOf(entry: string): Map<string, string> {
  const packages = new Map<string, string>();
  const seen = new Set<string>();
  const queue = [resolve(DIST, entry)];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    for (const { fileName } of ts.preProcessFile(readFileSync(file, 'utf8')).importedFiles) {
      if (fileName.startsWith('.')) queue.push(resolve(dirname(file), fileName.replace(/\.js$/, '.d.ts')));
      else packages.set(fileName, file);
    }
  }
  return packages;
}

it('has been built', () => {
  expect(existsSync(DIST), 'run npm run build').toBe(true);
});

it('finds what a declaration imports', () => {
  expect([...packagesOf('transport/index.d.ts').keys()]).toContain('ws');
});

it('takes nothing but ioredis of them into the public types of redis/index.d.ts', () => {
  const hidden = [...packagesOf('redis/index.d.ts').keys()].filter((name) => HIDDEN.test(name));

  expect(hidden).toEqual(['ioredis']);
});

it.each(ENTRIES)('keeps ws and optional packages out of the public types of %s', (entry) => {
  const hidden = [...packagesOf(entry)].filter(([name]) => HIDDEN.test(name));

  expect(hidden).toEqual([]);
});

import { posix } from 'node:path';
import { expect, it } from 'vitest';
import { readImports } from '../support/imports.js';
import { readTree } from '../support/repository.js';

/** What a process without sockets need not have installed. */
const FOR_SOCKETS = /^(ws|@nestjs\/(websockets|platform-ws|platform-express)(\/.*)?)$/;

/** Packages that an entry loads when it runs, each with the file that does. */
function packagesOf(entry: string): Map<string, string> {
  const sources = readTree('lib', '.ts');
  const packages = new Map<string, string>();
  const seen = new Set<string>();
  const queue = [entry];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    for (const { specifier, typeOnly } of readImports(file, sources.get(file) ?? '')) {
      if (typeOnly) continue;
      if (!specifier.startsWith('.')) packages.set(specifier, file);
      else queue.push(posix.join(posix.dirname(file), specifier).replace(/\.js$/, '.ts'));
    }
  }
  return packages;
}

it.each(['lib/publisher/index.ts', 'lib/redis/index.ts'])('%s loads no package for sockets', (entry) => {
  const packages = packagesOf(entry);

  expect(packages.size).toBeGreaterThan(0);
  expect([...packages].filter(([name]) => FOR_SOCKETS.test(name))).toEqual([]);
});

// Negative control: the main entry does.
it('finds what an entry loads', () => {
  expect([...packagesOf('lib/index.ts').keys()]).toEqual(
    expect.arrayContaining(['ws', '@nestjs/websockets']),
  );
});

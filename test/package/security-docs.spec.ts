import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readTree, ROOT } from '../support/repository.js';

describe('docs/security.md', () => {
  const text = readFileSync(join(ROOT, 'docs/security.md'), 'utf8');
  const tests = [...text.matchAll(/`(test\/[^`]+)`/g)].map(([, path]) => path as string);

  it('names tests that there are', () => {
    expect(tests.length).toBeGreaterThan(20);
    expect(tests.filter((path) => !isThere(path))).toEqual([]);
  });
});

/** Also where a `*` stands for the rest of a name. */
function isThere(path: string): boolean {
  const [start = '', end] = path.split('*');
  if (end === undefined) return existsSync(join(ROOT, path));
  return [...readTree('test', end).keys()].some((file) => file.startsWith(start));
}

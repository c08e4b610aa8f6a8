import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { ROOT } from '../support/repository.js';

interface Results {
  results(): string;
}

// A merge of two branches that had both measured something has lost a section once.
it('bench/RESULTS.md is what its sections make', async () => {
  const { results } = (await import(pathToFileURL(join(ROOT, 'bench/results.mjs')).href)) as Results;

  const text = readFileSync(join(ROOT, 'bench/RESULTS.md'), 'utf8');

  expect(text).toBe(results());
});

it('bench/RESULTS.md has each section that was written', () => {
  const text = readFileSync(join(ROOT, 'bench/RESULTS.md'), 'utf8');
  const folder = join(ROOT, 'bench/results');
  const sections = readdirSync(folder).filter((file) => file.endsWith('.md'));

  const missing = sections.filter((file) => !text.includes(readFileSync(join(folder, file), 'utf8')));

  expect(sections.length).toBeGreaterThan(10);
  expect(missing).toEqual([]);
});

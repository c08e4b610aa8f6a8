import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readTable } from '../support/markdown-table.js';
import { ROOT } from '../support/repository.js';

it('tells those who migrate every difference of section 11 that is in use', () => {
  const [protocol, migration] = ['docs/protocol.md', 'docs/migration.md'].map((path) =>
    readFileSync(join(ROOT, path), 'utf8'),
  );
  const differences = readTable(protocol ?? '', '11', ['row', 'stock adapter', 'here']);
  const told = readTable(migration ?? '', '', ['row', 'before', 'now', 'to have it as before']);
  const inUse = differences.filter(({ here }) => !here.includes('_(reserved)_'));

  expect(told.length).toBeGreaterThan(20);
  expect(told.map(({ row }) => row)).toEqual(inUse.map(({ row }) => row));
});

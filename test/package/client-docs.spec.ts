import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { CLIENT_DEFAULTS } from '../../lib/client/client-options.js';
import { codeSpan, readTable } from '../support/markdown-table.js';
import { ROOT } from '../support/repository.js';

const MARKDOWN = readFileSync(join(ROOT, 'docs/client.md'), 'utf8');

/** As the table writes a default: `10,000`, `4 MiB`, `no limit`, `'channels'`. */
function inWords(value: unknown): string {
  if (value === Infinity) return 'no limit';
  if (typeof value !== 'number') return `\`'${String(value)}'\``;
  return value % 1_048_576 === 0 ? `${value / 1_048_576} MiB` : value.toLocaleString('en');
}

it('docs/client.md has the default of every option', () => {
  const rows = readTable(MARKDOWN, '', ['option', 'default', 'meaning']);
  const documented = new Map(rows.map((row) => [codeSpan(row.option) ?? row.option, row.default]));

  for (const [name, value] of Object.entries(CLIENT_DEFAULTS)) {
    expect.soft(documented.get(name), name).toBe(inWords(value));
  }
});

it('docs/client.md lists no option that there is not', () => {
  const rows = readTable(MARKDOWN, '', ['option', 'default', 'meaning']);
  const known = new Set([
    ...Object.keys(CLIENT_DEFAULTS),
    'token',
    'WebSocket',
    'storage',
    'clock',
    'random',
  ]);

  const unknown = rows
    .flatMap((row) => [...row.option.matchAll(/`(\w+)`/g)])
    .filter(([, name]) => !known.has(name ?? ''));

  expect(unknown).toEqual([]);
});

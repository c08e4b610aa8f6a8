import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ADDRESS_DEFAULTS, ADMISSION_DEFAULTS } from '../../lib/core/admission-options.js';
import { DEFAULTS } from '../../lib/core/options.js';
import { codeSpan, readTable } from '../support/markdown-table.js';
import { ROOT } from '../support/repository.js';

it('docs/operations.md lists the options of admission with their defaults, also those that trustProxy brings', () => {
  const markdown = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8');

  const told = readTable(markdown, '', ['admission option', 'default', 'what it holds']);

  const numbers = told.map((row) => [
    codeSpan(row['admission option']),
    [...row.default.matchAll(/`(\d+)`/g)].map(([, value]) => Number(value)),
  ]);
  const others = { maxPendingUpgrades: DEFAULTS.maxPendingUpgrades, idleTimeoutMs: DEFAULTS.idleTimeoutMs };
  const withProxy: Readonly<Record<string, number>> = ADDRESS_DEFAULTS;
  const expected = Object.entries({ ...ADMISSION_DEFAULTS, ...others }).map(([name, value]) => [
    name,
    name in withProxy ? [value, withProxy[name]] : [value],
  ]);
  expect(numbers).toEqual(expected);
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { resolveDedupOptions } from '../../lib/redis/redis-dedup-options.interface.js';
import { resolveDurability, resolveLinkOptions } from '../../lib/redis/redis-options.interface.js';
import { codeSpan, readTable } from '../support/markdown-table.js';
import { ROOT } from '../support/repository.js';

it('docs/operations.md lists exactly the options of a RedisBroker, with their defaults', () => {
  const options = { connection: 'redis://localhost' };
  const markdown = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8');

  const told = readTable(markdown, '', ['option', 'default', 'what it says']);

  const { connection: _, ...link } = resolveLinkOptions(options);
  const defaults = {
    ...link,
    durability: resolveDurability(options) === 0 ? 'master' : 'replicated',
    replicationTimeoutMs: resolveDurability({ ...options, durability: 'replicated' }),
    ...resolveDedupOptions({}),
  };
  const documented = Object.fromEntries(
    told.map((row) => [codeSpan(row.option), codeSpan(row.default)] as const),
  );
  expect(documented).toEqual(
    Object.fromEntries(Object.entries(defaults).map(([name, value]) => [name, String(value)])),
  );
});

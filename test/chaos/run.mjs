// npm run chaos [-- --seconds 300] [--clients 200] [--seed n] [--without node,positions,client]: many clients on a
// bad network, whose servers are killed and whose broker loses. Ends with 0 where every promise was kept, with 1
// where not, and writes what it has seen to stdout as JSON. `--without` takes the gap watch out, or parts of it.
import { randomInt } from 'node:crypto';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { count, refuse } from './arguments.mjs';
import { copyWithout, PACKAGE_URL, PART_NAMES } from './package-copy.mjs';
import { World } from './world.mjs';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '300' },
    clients: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
    without: { type: 'string', default: '' },
  },
});
const seconds = count(values, 'seconds');
const clients = count(values, 'clients');
const seed = count(values, 'seed');
const without = values.without === '' ? [] : values.without.split(',');
for (const part of without) if (!PART_NAMES.includes(part)) refuse(values, 'without', PART_NAMES.join(', '));

console.error(`chaos: --seed ${seed} --seconds ${seconds} --clients ${clients}`);
const packageUrl = without.length > 0 ? copyWithout(without) : PACKAGE_URL;
const { ChannelsClient } = await import(new URL('client/index.js', packageUrl));
const world = new World({ seed, clients, packageUrl, ChannelsClient });
try {
  await world.open();
  await world.run(seconds * 1_000);
  // Where a promise is broken already, there is nothing to wait for.
  if (world.violations.length === 0) await world.settle();
} finally {
  await world.close();
  if (without.length > 0) rmSync(fileURLToPath(packageUrl), { recursive: true });
}
console.log(JSON.stringify({ seed, seconds, clients, without, ...world.report }, null, 2));
process.exitCode = world.violations.length === 0 ? 0 : 1;

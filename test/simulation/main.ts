import { parseArgs } from 'node:util';
import { run } from './crew.js';
import { printed } from './print.js';
import { shrink } from './shrink.js';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '200000' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
  },
});
const [seed, count] = [Number(values.seed), Number(values.count)];
process.stdout.write(`seed ${seed}, ${count} histories\n`);
const { played, ms, failure } = await run({ seed, count, timeoutMs: 3_600_000 });
const rate = Math.round((1_000 * played) / ms);
process.stdout.write(`${played} histories in ${(ms / 1_000).toFixed(1)} s, ${rate} a second\n`);
if (failure) {
  const { history, index, ...violation } = failure;
  process.stdout.write(`history ${index}: ${printed(await shrink({ history, violation }))}\n`);
  process.exitCode = 1;
}

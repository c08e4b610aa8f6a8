import { expect, it } from 'vitest';
import { run } from './crew.js';
import { printed } from './print.js';
import { shrink } from './shrink.js';

/** `npm run simulate` plays ten times as many. */
const HISTORIES = 20_000;

/** Another one each time; `SEED=` plays the same again. */
const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));

// I1 to I11 of the guarantees; docs/testing.md, "How delivery is proved", says what each of them is.
it(`keeps every promise in ${HISTORIES} histories of SEED=${seed}`, { timeout: 600_000 }, async () => {
  process.stdout.write(`simulation: SEED=${seed}\n`);

  const { played, failure } = await run({ seed, count: HISTORIES, timeoutMs: 590_000 });

  expect(
    failure && `SEED=${seed}\n${printed(await shrink({ history: failure.history, violation: failure }))}`,
  ).toBe(undefined);
  expect(played).toBe(HISTORIES);
});

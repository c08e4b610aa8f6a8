import { expect, it } from 'vitest';
import { ClientRig } from './client-rig.js';
import type { Answer } from './fake-server.js';

const INTERVAL_MS = 10_000;

async function open(timingIntervalMs?: number): Promise<{ rig: ClientRig; timings: () => unknown[] }> {
  const rig = await ClientRig.open({}, ({ server }) => {
    if (timingIntervalMs !== undefined) server.limits['timingIntervalMs'] = timingIntervalMs;
  });
  const timings = (): unknown[] =>
    rig.server.frames.filter(({ event }) => event === '$timing').map(({ data }) => data);
  return { rig, timings };
}

/** Sends a message whose answer is there after so many milliseconds, one each way for the network. */
async function exchange(rig: ClientRig, ms: number, answer: Answer = {}): Promise<void> {
  rig.send('e');
  await rig.pass(ms - 1);
  rig.server.answer(rig.server.messages.at(-1), answer);
  await rig.pass(1);
}

it('tells a server that wants to know how long an answer took', async () => {
  const { rig, timings } = await open(INTERVAL_MS);

  await exchange(rig, 120);
  await rig.pass();

  expect(timings()).toEqual([{ ackMs: 120 }]);
});

it('tells of a final refusal as well', async () => {
  const { rig, timings } = await open(INTERVAL_MS);

  await exchange(rig, 70, { error: { code: 'forbidden', message: 'no', retryable: false } });
  await rig.pass();

  expect(timings()).toEqual([{ ackMs: 70 }]);
});

it('tells at most one in the interval', async () => {
  const { rig, timings } = await open(INTERVAL_MS);

  await exchange(rig, 10);
  await exchange(rig, INTERVAL_MS - 1);
  await rig.pass();
  const before = timings();
  await exchange(rig, 2);
  await rig.pass();

  expect(before).toEqual([{ ackMs: 10 }]);
  expect(timings()).toEqual([{ ackMs: 10 }, { ackMs: 2 }]);
});

it('tells nothing to one that does not', async () => {
  const { rig, timings } = await open();

  await exchange(rig, 120);
  await rig.pass();

  expect(timings()).toEqual([]);
});

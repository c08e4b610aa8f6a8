import type { FaultDirection } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { everybody, startClientApp, type Desk } from '../support/client-app.js';
import { openClient, outcomeOf, type Outcome } from '../support/client-rig.js';

const ROUNDS = 30;
const MESSAGES = 8;

/** A round is about 600 bytes to the server and 400 back, 400 and 700 more where it connects again. */
const MAX_BYTES = 700;

/** The same bytes in every run: what fails can be run again. (mulberry32) */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const textsOf = (round: number): string[] => Array.from({ length: MESSAGES }, (_, n) => `${round}.${n}`);
const ALL_TEXTS = Array.from({ length: ROUNDS }, (_, round) => textsOf(round)).flat();
const ALL_DONE = ALL_TEXTS.map((text) => ({ answer: `heard ${text}` }));

/** The ids under which each text has arrived. */
function idsByText({ frames }: Desk): Map<string, Set<string>> {
  const ids = new Map<string, Set<string>>();
  for (const { event, data, id } of frames) {
    if (event !== 'say') continue;
    ids.set(String(data), (ids.get(String(data)) ?? new Set()).add(String(id)));
  }
  return ids;
}

describe('a client whose connections break inside of frames', () => {
  it.each<[FaultDirection, number]>([
    ['toServer', 1],
    ['toServer', 2],
    ['toClient', 3],
    ['toClient', 4],
  ])(
    'has every send answered, sent again with its id and in order (%s, seed %i)',
    async (direction, seed) => {
      const { app, desk } = await startClientApp(everybody);
      const proxy = await app.proxy();
      const random = seeded(seed);
      const log = openClient(proxy.url('/ws'));
      await log.reaches('open');

      const outcomes: Outcome[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        // Every third one begins with a handshake, which then may be what breaks.
        if (round % 3 === 0) proxy.reset();
        proxy.cutAfter(Math.floor(random() * MAX_BYTES), direction);
        const sends = textsOf(round).map((text) => log.client.send('say', text));
        outcomes.push(...(await Promise.all(sends.map(outcomeOf))));
      }

      const ids = idsByText(desk);
      expect(outcomes).toEqual(ALL_DONE);
      expect([...ids.keys()]).toEqual(ALL_TEXTS);
      expect([...ids.values()].every(({ size }) => size === 1)).toBe(true);
      expect(new Set([...ids.values()].flatMap((set) => [...set])).size).toBe(ALL_TEXTS.length);
      // Or nothing of this would have been tested.
      expect(log.times('waiting')).toBeGreaterThan(ROUNDS / 2);
      expect(desk.dataOf('say').length).toBeGreaterThan(ALL_TEXTS.length);
      expect(new Set(desk.clientIds).size).toBe(1);
    },
  );

  it('sends nothing twice where nothing breaks', async () => {
    const { app, desk } = await startClientApp(everybody);
    const proxy = await app.proxy();
    const log = openClient(proxy.url('/ws'));

    const outcomes: Outcome[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const sends = textsOf(round).map((text) => log.client.send('say', text));
      outcomes.push(...(await Promise.all(sends.map(outcomeOf))));
    }

    expect(outcomes).toEqual(ALL_DONE);
    expect(desk.dataOf('say')).toEqual(ALL_TEXTS);
    expect(log.names).toEqual(['connecting', 'open']);
  });
});

import { RawClient } from '../../support/installed-app.js';
import { conversation, exchange, framesOf, type Scenario } from './scenario.js';

const VISIT = { event: 'visit' };

/** Row 17: on Nest 11 the stock adapter has no instance for them that works. */
const SCOPED: readonly Scenario[] = [
  conversation('/scoped', 'an instance that lasts as long as its connection', [VISIT, VISIT, VISIT], {
    greetings: 1,
    row: 17,
  }),
  exchange('/scoped', 'an exception', { event: 'fails', data: 1 }, { frames: 2, row: 17 }),
  {
    name: '/scoped: an instance for each connection',
    frames: 6,
    row: 17,
    run: async ({ port }) => {
      const first = await RawClient.open(port, '/scoped');
      await framesOf(first, [VISIT], 2);
      const second = await RawClient.open(port, '/scoped');
      const frames = await framesOf(second, [VISIT], 2);
      return [...frames, ...(await framesAfter(first, 3))];
    },
  },
];

async function framesAfter(client: RawClient, count: number): Promise<readonly string[]> {
  client.send(VISIT);
  await client.received(count + 1);
  return client.frames;
}

const notes = (path: string, event = 'notes'): Scenario =>
  exchange(path, `a store through everything that runs for a message: ${event}`, {
    event,
    data: { name: 'ann' },
  });

/** Two messages that wait for each other, on one connection or on two. */
const meeting = (path: string, connections: 1 | 2): Scenario => ({
  name: `${path}: stores of two messages in flight, on ${connections} connections`,
  frames: 2,
  run: async ({ port }) => {
    const first = await RawClient.open(port, path);
    const second = connections === 1 ? first : await RawClient.open(port, path);
    first.send({ event: 'meet', data: { name: 'ann' } });
    second.send({ event: 'meet', data: { name: 'bob' } });
    await Promise.all([first.received(3 - connections), second.received(3 - connections)]);
    // Who comes second answers first, or not: nothing says so.
    return [...new Set([...first.frames, ...second.frames])].toSorted();
  },
});

/** Which of the two answers comes first depends on how their bytes arrive. */
const noStoreLeft = (path: string): Scenario => ({
  name: `${path}: no store of an earlier message`,
  frames: 2,
  run: async ({ port }, frames) => {
    const client = await RawClient.open(port, path);
    const messages = [{ event: 'notes', data: { name: 'ann' } }, { event: 'outside' }];
    return [...(await framesOf(client, messages, frames))].toSorted();
  },
});

const CLS: readonly Scenario[] = [
  ...['/cls/guard', '/cls/interceptor', '/cls/both', '/cls/method'].map((path) => notes(path)),
  notes('/cls/method', 'notes.decorated'),
  ...['/cls/guard', '/cls/interceptor', '/cls/method'].flatMap((path) => [
    meeting(path, 1),
    meeting(path, 2),
  ]),
  ...['/cls/guard', '/cls/interceptor'].flatMap((path) => [
    exchange(path, 'a store under an Observable', { event: 'items', data: { name: 'ann' } }, { frames: 2 }),
    exchange(
      path,
      'a store where something fails',
      { event: 'fails', data: { name: 'ann' } },
      { row: 9, framesOn11: 0 },
    ),
    noStoreLeft(path),
    exchange(
      path,
      'a store for each of many messages',
      Array.from({ length: 30 }, (_, index) => ({ event: 'notes', data: { name: `n${index}` } })),
      { frames: 30 },
    ),
  ]),
];

export const STORES = [...SCOPED, ...CLS];

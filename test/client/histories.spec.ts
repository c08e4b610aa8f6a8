import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StoredQueue } from '../../lib/client/index.js';
import { HistoryWorld, type Ground, type Step } from './history-world.js';

const at = fc.nat({ max: 30 });
const closeCode = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(1006, 1012, 1013, 4401, 4501, 4509, 4510) },
  { weight: 1, arbitrary: fc.integer({ min: 1000, max: 4999 }) },
);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      type: fc.constant('send' as const),
      timeoutMs: fc.option(fc.constantFrom(1, 50, 5_000, 30_000), { nil: undefined, freq: 3 }),
      size: fc.constantFrom(0, 1, 400),
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('abort' as const), pick: at }) },
  {
    weight: 10,
    arbitrary: fc.record({
      type: fc.constant('answer' as const),
      pick: at,
      kind: fc.constantFrom('done', 'done', 'final', 'retryable', 'in a while', 'item'),
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      type: fc.constant('pass' as const),
      ms: fc.constantFrom(1, 2, 5, 600, 5_000, 50_000),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('lose' as const),
      how: fc.oneof(closeCode, fc.constant('vanish' as const)),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('receive' as const),
      reception: fc.oneof(
        fc.constantFrom('accept' as const, 'accept' as const, 'refuse' as const, 'hang' as const),
        fc.record({ code: closeCode }),
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('hello' as const),
      how: fc.constantFrom('welcome', 'welcome', 'refuse', 'ignore'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('log in' as const),
      principal: fc.constantFrom('ada', 'bob', ''),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constantFrom('connect', 'connect', 'connect', 'close', 'reset') }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('reload' as const) }) },
);

const histories = fc.array(step, { maxLength: 40, size: 'max' });

const rulesHold = (spoil?: (ground: Ground) => void): fc.IAsyncProperty<[Step[]]> =>
  fc.asyncProperty(histories, async (steps) => {
    expect(await HistoryWorld.play(steps, spoil)).toEqual([]);
  });

// Each send settles once, in its own page or told to a later one, in the end all of them have, and what test/client/history-model.ts holds about
// ids, order, identity and the number in flight is never broken.
it('settles every send exactly once in any history', { timeout: 120_000 }, async () => {
  await expect(fc.assert(rulesHold(), { numRuns: 10_000 })).resolves.toBeUndefined();
});

/** Puts something between the client and its sockets. */
function between(
  ground: Ground,
  {
    write,
    read,
  }: {
    write?: (text: string, send: (text: string) => void) => void;
    read?: (text: string) => string | undefined;
  },
): void {
  ground.Socket = class extends ground.Socket {
    override send(text: string): void {
      if (write) write(text, (other) => super.send(other));
      else super.send(text);
    }

    override deliver(data: unknown): void {
      const text = read ? read(String(data)) : data;
      if (text !== undefined) super.deliver(text);
    }
  };
}

const isMessage = (text: string): boolean => text.startsWith('{"event":"m');

/** Puts something between the client and its storage. */
function betweenStorage(ground: Ground, change: (queue: StoredQueue) => Partial<StoredQueue>): void {
  const { storage } = ground;
  ground.storage = {
    open: async (failed) => {
      const queue = await storage.open(failed);
      return { ...queue, ...change(queue) };
    },
  };
}

const BUGS: Readonly<Record<string, (ground: Ground) => void>> = {
  'writes a message twice': (ground) =>
    between(ground, {
      write: (text, send) => {
        send(text);
        if (isMessage(text)) send(text);
      },
    }),
  'draws a new id for each try': (ground) => {
    let tries = 0;
    between(ground, {
      write: (text, send) => send(text.replace(/"id":"id-\d+/, () => `"id":"id-${++tries}`)),
    });
  },
  'lets a message overtake the one before': (ground) => {
    let held: string | undefined;
    between(ground, {
      write: (text, send) => {
        if (isMessage(text) && held === undefined) held = text;
        else {
          send(text);
          if (held !== undefined && isMessage(text)) send(held);
        }
      },
    });
  },
  'loses an ack': (ground) => {
    let acks = 0;
    between(ground, { read: (text) => (/"data":"m/.test(text) && ++acks === 1 ? undefined : text) });
  },
  'does not notice who is logged in': (ground) =>
    between(ground, { read: (text) => text.replace(/"principal":"\w*"/, '"principal":"ada"') }),
  'sends more than the server takes': (ground) =>
    between(ground, { read: (text) => text.replace('"maxInFlight":3', '"maxInFlight":64') }),
  'says again what was said on the connection before, ahead of $hello': (ground) => {
    let last: string | undefined;
    between(ground, {
      write: (text, send) => {
        if (last !== undefined && !isMessage(text)) send(last);
        last = isMessage(text) ? text : last;
        send(text);
      },
    });
  },
  'does not stop its timers': (ground) => {
    const { clock } = ground;
    ground.clock = {
      now: () => clock.now(),
      setTimeout: (callback, ms) => clock.setTimeout(callback, ms),
      clearTimer: () => undefined,
    };
  },
  'loses what it has stored': (ground) => betweenStorage(ground, () => ({ messages: [] })),
  'stores nothing': (ground) => betweenStorage(ground, () => ({ save: () => undefined })),
  'does not forget what was answered': (ground) =>
    betweenStorage(ground, () => ({ remove: () => undefined })),
  'turns round what it has stored': (ground) =>
    betweenStorage(ground, ({ messages }) => ({ messages: messages.toReversed() })),
  'takes over messages without their identity': (ground) =>
    betweenStorage(ground, ({ messages }) => ({
      messages: messages.map((message) => ({ ...message, clientId: 'x'.repeat(22) })),
    })),
  'takes over messages without the name under which they were queued': (ground) =>
    betweenStorage(ground, ({ messages }) => ({
      messages: messages.map((message) => ({ ...message, principal: undefined })),
    })),
  'uses an id again': (ground) => {
    const { next } = ground.random;
    ground.random = { next, id: () => 'same'.padEnd(22, 'x') };
  },
  'never wakes from a long wait': (ground) => {
    const { clock } = ground;
    ground.clock = {
      now: () => clock.now(),
      setTimeout: (callback, ms) => (ms > 400 ? undefined : clock.setTimeout(callback, ms)),
      clearTimer: (timer) => clock.clearTimer(timer),
    };
  },
};

describe('the histories find a client that', () => {
  it.each(Object.keys(BUGS))('%s', { timeout: 60_000 }, async (bug) => {
    const details = await fc.check(rulesHold(BUGS[bug]), { numRuns: 500, endOnFailure: true, seed: 11 });

    expect(details.failed).toBe(true);
  });
});

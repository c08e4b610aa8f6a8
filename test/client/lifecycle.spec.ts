import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { closeVerdict } from '../../lib/protocol/index.js';
import { ClientRig } from './client-rig.js';
import { chance, code, input, Life, OPTIONS } from './lifecycle-world.js';

const DAY_MS = 86_400_000;
const SPECIAL = new Set([4401, 4501, 4509, 4510]);
const withFunction = { ...OPTIONS, token: (): string => 'jwt' };

it('waits from 0 to the cap, however often it fails', () => {
  fc.assert(
    fc.property(chance, fc.integer({ min: 1, max: 200 }), (drawn, failures) => {
      const life = new Life(OPTIONS, drawn);
      for (let at = 0; at < failures; at++) life.take({ type: 'connect' }).lose();

      expect(life.state).toMatchObject({ name: 'waiting', ordered: false });
      const cap = Math.min(30_000, 500 * 2 ** (failures - 1));
      expect(life.timer('retry')).toBeGreaterThanOrEqual(0);
      expect(life.timer('retry')).toBeLessThanOrEqual(Math.round(cap));
    }),
  );
});

it('draws the wait from the whole range (full jitter)', () => {
  const wait = (drawn: number): number | undefined =>
    new Life(OPTIONS, drawn).take({ type: 'connect' }).lose().timer('retry');

  expect([0, 0.25, 0.5, 0.999_999].map(wait)).toEqual([0, 125, 250, 500]);
});

it('tells in its state how long it waits', () => {
  fc.assert(
    fc.property(chance, fc.option(fc.nat({ max: DAY_MS }), { nil: undefined }), (drawn, retryAfterMs) => {
      const life = new Life(OPTIONS, drawn).open().lose(1013, retryAfterMs);

      expect(life.state).toMatchObject({ delayMs: life.timer('retry') });
    }),
  );
});

it('begins from the shortest wait again only after a stable connection', () => {
  const life = new Life();

  const failures = [false, false, true, false].map((isStable) => {
    life.open();
    if (isStable) life.take({ type: 'stable' });
    life.lose();
    return life.current.failures;
  });

  expect(failures).toEqual([1, 2, 1, 2]);
});

it('proves stable no earlier than stableAfterMs', () => {
  expect(new Life().open().timer('stable')).toBe(10_000);
});

it('waits at least as long as the server has ordered', () => {
  fc.assert(
    fc.property(chance, fc.nat({ max: DAY_MS }), (drawn, retryAfterMs) => {
      const life = new Life(OPTIONS, drawn).open().lose(1013, retryAfterMs);

      expect(life.timer('retry')).toBeGreaterThanOrEqual(retryAfterMs);
      expect(life.timer('retry')).toBeLessThanOrEqual(retryAfterMs + 500);
      expect(life.state).toMatchObject({ ordered: true });
    }),
  );
});

it.each(['{"retryAfterMs":1e15}', '{"retryAfterMs":86400000}'])('waits a day at most: %s', async (reason) => {
  const rig = await ClientRig.open();

  rig.server.peer.close(1013, reason);
  await rig.pass();

  expect(rig.client.state).toMatchObject({ name: 'waiting', ordered: true });
  expect((rig.client.state as { delayMs: number }).delayMs).toBeLessThanOrEqual(DAY_MS + 500);
});

it.each(['try later', '{"retryAfterMs":"5"}', '{"retryAfterMs":-1}', '[5]', 'null', '{}'])(
  'takes no order from the reason %j',
  async (reason) => {
    const rig = await ClientRig.open();

    rig.server.peer.close(1013, reason);
    await rig.pass();

    expect(rig.client.state).toMatchObject({ name: 'waiting', ordered: false });
  },
);

it('lets connect() overrule an ordered wait', () => {
  const life = new Life().open().lose(1013, 60_000).take({ type: 'connect' });

  expect(life.state).toMatchObject({ name: 'connecting', reason: 'requested' });
});

it('tries at most maxRetries times in a row', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 20 }), (maxRetries) => {
      const life = new Life({ ...OPTIONS, maxRetries }).take({ type: 'connect' });
      let attempts = 1;
      for (life.lose(); life.state.name === 'waiting'; life.lose()) {
        life.take({ type: 'retry' });
        attempts++;
      }

      expect([attempts, life.state.reason]).toEqual([maxRetries + 1, 'gave_up']);
    }),
  );
});

it('comes back from closed with all of its retries', () => {
  const life = new Life({ ...OPTIONS, maxRetries: 1 });
  life.take({ type: 'connect' }).lose().take({ type: 'retry' }).lose();

  life.take({ type: 'connect' }).lose();

  expect(life.state).toMatchObject({ name: 'waiting', failures: 1 });
});

it('obeys the verdict of every close code, known or not', () => {
  fc.assert(
    fc.property(
      code.filter((each) => !SPECIAL.has(each)),
      fc.boolean(),
      (closeCode, isOpen) => {
        const life = new Life(withFunction).take({ type: 'connect' }, { type: 'token', token: 'jwt' });
        if (isOpen) life.take({ type: 'opened' }, { type: 'welcomed' });

        life.lose(closeCode);

        const name = closeVerdict(closeCode) === 'stay' ? 'closed' : 'waiting';
        expect(life.state).toMatchObject({ name, code: closeCode });
      },
    ),
  );
});

it.each([4401, 4501])('asks the token function once more after %i, and once only', (closeCode) => {
  const life = new Life(withFunction).open().lose(closeCode);

  expect(life.state).toMatchObject({ name: 'connecting', reason: 'token_refused' });
  expect(life.effects).toContainEqual({ type: 'askToken', refresh: true });
  expect(life.lose(closeCode).state.name).toBe(closeCode === 4501 ? 'closed' : 'waiting');
});

it('takes one new identity after 4509', () => {
  const life = new Life().open().lose(4509);

  expect(life.effects).toContainEqual({ type: 'renewIdentity', giveUp: 'sent' });
  expect(life.open().lose(4509).state).toMatchObject({ name: 'closed', code: 4509 });
});

it('takes another new identity when the connection has been stable', () => {
  const life = new Life().open().lose(4509).open().take({ type: 'stable' });

  expect(life.lose(4509).state).toMatchObject({ name: 'connecting', reason: 'replaced' });
});

it('is idle after 4510 until it is needed', () => {
  const life = new Life().open().lose(4510);

  expect(life.take({ type: 'hint' }, { type: 'retry' }).state).toMatchObject({ name: 'idle', code: 4510 });
  expect(life.take({ type: 'need' }).state.name).toBe('connecting');
});

it('stays open in its own slot of a $drain, while another connection is to take over', () => {
  const life = new Life().open().take({ type: 'drain', reconnectAfterMs: 3_000 });

  expect(life.timer('slot')).toBe(3_000);
  expect(life.take({ type: 'slot' }).state.name).toBe('open');
  expect(life.effects).toEqual([{ type: 'handOver' }]);
});

it('begins in that slot where it is the one to take over', () => {
  const life = new Life().take({ type: 'slot' });

  expect(life.state).toMatchObject({ name: 'connecting', reason: 'drain', failures: 1 });
});

it('waits for its slot when the draining server closes first', () => {
  fc.assert(
    fc.property(
      chance,
      fc.integer({ min: 0, max: 60_000 }),
      fc.integer({ min: 0, max: 90_000 }),
      (drawn, slot, after) => {
        const life = new Life(OPTIONS, drawn).open().take({ type: 'drain', reconnectAfterMs: slot });
        life.now += after;

        life.lose(1012);

        expect(life.state).toMatchObject({
          name: 'waiting',
          ordered: true,
          delayMs: Math.max(slot - after, 0),
        });
      },
    ),
  );
});

it('forgets the slot of a $drain with its connection', () => {
  const life = new Life().open().take({ type: 'drain', reconnectAfterMs: 60_000 }, { type: 'slot' });

  expect(life.lose().state).toMatchObject({ name: 'waiting', ordered: false });
});

it('waits as long as the close orders, also behind a $drain', () => {
  const life = new Life().open().take({ type: 'drain', reconnectAfterMs: 1_000 });

  life.lose(1013, 60_000);

  expect(life.timer('retry')).toBeGreaterThanOrEqual(60_000);
});

it('has a way on from every state, and never a wait without a timer', () => {
  fc.assert(
    fc.property(fc.array(input, { maxLength: 60 }), chance, (inputs, drawn) => {
      const life = new Life({ ...withFunction, maxRetries: 5 }, drawn);
      for (const each of inputs) {
        const { state } = life;
        life.take(each);
        const isNew = life.state !== state;
        const [waits, tries] = [
          isNew && life.state.name === 'waiting',
          isNew && life.state.name === 'connecting',
        ];
        expect(life.timer('retry') !== undefined).toBe(waits);
        expect(life.timer('deadline') !== undefined || !tries).toBe(true);
        expect(life.effects.at(-1)?.type === 'askToken').toBe(tries);
      }
      expect(life.take({ type: 'connect' }, { type: 'close' }).state.name).toBe('closed');
    }),
  );
});

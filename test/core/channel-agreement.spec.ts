import { TestClock } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { ChannelAgreement } from '../../lib/core/channel-agreement.js';
import { RegistryBus } from '../support/bus-registry.js';

const KEPT = { size: 100, ttlMs: 300_000 };
const OTHER = { size: 5, ttlMs: 300_000 };

function setUp(): {
  readonly bus: RegistryBus;
  readonly agreement: ChannelAgreement;
  readonly clock: TestClock;
} {
  const bus = new RegistryBus();
  const clock = new TestClock();
  return { bus, clock, agreement: new ChannelAgreement(bus.registry(), clock) };
}

describe('ChannelAgreement', () => {
  it.each([
    ['nobody has registered anything', [], 'chat:1', KEPT],
    ['the nodes say the same', [{ pattern: 'chat:{room}', history: KEPT }], 'chat:1', { ...KEPT }],
    ['the nodes know no such channel', [{ pattern: 'chat:{room}', history: KEPT }], 'news:1', undefined],
    ['nobody keeps anything', [{ pattern: 'chat:{room}' }], 'chat:1', undefined],
    [
      'the pattern that fits best says the same',
      [
        { pattern: 'chat:{room}', history: KEPT },
        { pattern: 'chat:lobby', history: OTHER },
      ],
      'chat:lobby',
      OTHER,
    ],
  ])('is there where %s', async (_what, channels, channel, history) => {
    const { bus, agreement } = setUp();
    bus.registry().register(channels);

    await expect(agreement.check(channel, history)).resolves.toBe(undefined);
  });

  const CHAT = { pattern: 'chat:{room}', history: KEPT };
  const LOBBY = { pattern: 'chat:lobby' };

  it.each([
    ['the nodes that have not got it yet', KEPT],
    ['the nodes that have it', undefined],
  ])('is there in a deploy that adds a better pattern, with %s', async (_what, history) => {
    const { bus, agreement } = setUp();
    bus.registry().register([CHAT]);
    bus.registry().register([LOBBY, CHAT]);

    await expect(agreement.check('chat:lobby', history)).resolves.toBe(undefined);
    await expect(agreement.check('chat:lobby', OTHER)).rejects.toMatchObject({ code: 'bad_request' });
  });

  it('is missing with a worse pattern behind the deploy', async () => {
    const { bus, agreement } = setUp();
    bus.registry().register([LOBBY, CHAT]);

    await expect(agreement.check('chat:lobby', KEPT)).rejects.toMatchObject({ code: 'bad_request' });
  });

  it.each([
    [
      'keep another number',
      KEPT,
      OTHER,
      'a history of 5 for 300000 ms here',
      'a history of 100 for 300000 ms at',
    ],
    [
      'keep it for another time',
      KEPT,
      { ...KEPT, ttlMs: 1 },
      'of 100 for 1 ms here',
      'of 100 for 300000 ms at',
    ],
    ['keep nothing', undefined, KEPT, 'a history of 100 for 300000 ms here', 'no history at the nodes'],
    ['keep something', KEPT, undefined, 'no history here', 'a history of 100 for 300000 ms at the nodes'],
  ])('is missing where the nodes %s, and both sides are told', async (_what, theirs, ours, here, there) => {
    const { bus, agreement } = setUp();
    bus.registry().register([{ pattern: 'chat:{room}', history: theirs }]);

    const error: unknown = await agreement.check('chat:1', ours).catch((reason: unknown) => reason);

    expect(error).toMatchObject({ code: 'bad_request', retryable: false });
    expect(String(error)).toContain(here);
    expect(String(error)).toContain(there);
  });

  it('is there where one of the nodes says the same', async () => {
    const { bus, agreement } = setUp();
    bus.registry().register([{ pattern: 'chat:{room}', history: OTHER }]);
    bus.registry().register([{ pattern: 'chat:{name}', history: KEPT }]);

    await expect(agreement.check('chat:1', KEPT)).resolves.toBe(undefined);
  });

  it('names each opinion of nodes that differ', async () => {
    const { bus, agreement } = setUp();
    bus.registry().register([{ pattern: 'chat:{room}', history: OTHER }]);
    bus.registry().register([{ pattern: 'chat:{room}' }]);

    await expect(agreement.check('chat:1', KEPT)).rejects.toThrow(
      'a history of 5 for 300000 ms or no history',
    );
  });

  it.each([0, 3_600_000])(
    'reads once for all that come first, together, at %d ms, in their order',
    async (ms) => {
      const { bus, agreement, clock } = setUp();
      await clock.advance(ms);
      const order: number[] = [];

      await Promise.all(
        [1, 2, 3].map(async (at) => {
          await agreement.check('chat:1', KEPT);
          order.push(at);
        }),
      );

      expect([order, bus.reads]).toEqual([[1, 2, 3], 1]);
    },
  );

  it('looks again behind five seconds, and lets nobody wait for it', async () => {
    const { bus, agreement, clock } = setUp();
    const node = bus.registry();
    await agreement.check('chat:1', KEPT);
    node.register([{ pattern: 'chat:{room}', history: OTHER }]);

    await clock.advance(4_999);
    await agreement.check('chat:1', KEPT);
    expect(bus.reads).toBe(1);

    await clock.advance(1);
    await Promise.all([agreement.check('chat:1', KEPT), agreement.check('chat:1', KEPT)]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(bus.reads).toBe(2);
    await expect(agreement.check('chat:1', KEPT)).rejects.toMatchObject({ code: 'bad_request' });
  });

  it.each([
    [59_999, 'resolved'],
    [60_000, 'rejected'],
  ])('waits for what the nodes say where it has not looked for %d ms: %s', async (ms, status) => {
    const { bus, agreement, clock } = setUp();
    const node = bus.registry();
    node.register([{ pattern: 'chat:{room}', history: KEPT }]);
    await agreement.check('chat:1', KEPT);
    node.register([{ pattern: 'chat:{room}', history: OTHER }]);

    await clock.advance(ms);
    const checks = [agreement.check('chat:1', KEPT), agreement.check('chat:1', KEPT)];
    const settled = await Promise.allSettled(checks);

    expect(settled.map((check) => `${check.status}`)).toEqual(
      status === 'resolved' ? ['fulfilled', 'fulfilled'] : [status, status],
    );
    expect(bus.reads).toBe(status === 'resolved' ? 1 : 2);
  });

  it('goes by what was said long ago where the nodes cannot be heard', async () => {
    const { bus, agreement, clock } = setUp();
    bus.registry().register([{ pattern: 'chat:{room}', history: OTHER }]);
    await agreement.check('chat:1', OTHER);

    bus.isAway = true;
    await clock.advance(3_600_000);

    await expect(agreement.check('chat:1', OTHER)).resolves.toBe(undefined);
    await expect(agreement.check('chat:1', KEPT)).rejects.toMatchObject({ code: 'bad_request' });
  });

  it('rejects while the nodes have never been heard, and asks again', async () => {
    const { bus, agreement } = setUp();
    bus.isAway = true;
    await expect(agreement.check('chat:1', KEPT)).rejects.toThrow('the registry is away');

    bus.isAway = false;
    await expect(agreement.check('chat:1', KEPT)).resolves.toBe(undefined);
  });

  it('goes by what was said last where the nodes cannot be heard any more', async () => {
    const { bus, agreement, clock } = setUp();
    bus.registry().register([{ pattern: 'chat:{room}', history: OTHER }]);
    await agreement.check('chat:1', OTHER);

    bus.isAway = true;
    await clock.advance(5_000);
    await agreement.check('chat:1', OTHER);
    await new Promise((resolve) => setImmediate(resolve));

    expect(bus.reads).toBe(2);
    await expect(agreement.check('chat:1', KEPT)).rejects.toMatchObject({ code: 'bad_request' });
  });
});

import { TestClock, type ChannelsTestApp, type TestClientOptions } from 'nestjs-channels/testing';
import type { ChannelsModuleOptions } from 'nestjs-channels';
import { describe, expect, it } from 'vitest';
import { ADDRESS_DEFAULTS } from '../../lib/core/admission-options.js';
import { Engine } from '../../lib/core/engine.js';
import { guardedGateway, type Check } from '../support/guarded-gateway.js';
import { recordRefusals, refusalOf, type RefusalRecorder } from '../support/refusals.js';
import { startApp } from '../support/start-app.js';

const OURS = 'nestjs-channels.v1.json';
const PLAIN = { protocols: [] };

interface Rig extends RefusalRecorder {
  readonly app: ChannelsTestApp;
  readonly clock: TestClock;
}

async function start(
  channels: ChannelsModuleOptions,
  check: Check = (request) => ((request.user = { sub: request.query['user'] ?? 'ada' }), true),
): Promise<Rig> {
  const clock = new TestClock();
  const recorder = recordRefusals();
  const options = { observers: [recorder.observer], ...channels };
  const app = await startApp({ clock, providers: [guardedGateway(check)], channels: options });
  return { ...recorder, app, clock };
}

/** How a client of ours fares: `in`, or its close. */
async function closeOf(
  app: ChannelsTestApp,
  options: TestClientOptions = {},
  path = '/ws',
): Promise<unknown> {
  const client = await app.connect(path, options);
  return Promise.race([client.closed, client.request('whoami').then(() => 'in')]).catch(() => client.closed);
}

const behind = (address: string): TestClientOptions => ({ headers: { 'x-forwarded-for': address } });

describe('handshakesPerSecond', () => {
  it('refuses one more with 503, and tells each who follows the next turn', async () => {
    const { app, refusals } = await start({ handshakesPerSecond: 2 });
    expect([await closeOf(app), await closeOf(app)]).toEqual(['in', 'in']);

    const third = await refusalOf(app.connect('/ws', PLAIN));
    const others = [await closeOf(app), await closeOf(app)];

    expect(third).toMatchObject({ statusCode: 503, headers: { 'retry-after': '1' } });
    expect(others).toEqual([
      { code: 1013, reason: expect.stringMatching(/^\{"retryAfterMs":1000,"slot":"[\w-]+"\}$/) },
      { code: 1013, reason: expect.stringMatching(/^\{"retryAfterMs":1500,"slot":"[\w-]+"\}$/) },
    ]);
    expect(refusals.map(({ reason, advice }) => [reason, advice])).toEqual(
      Array.from({ length: 3 }, () => ['handshake_rate', 'handshakesPerSecond']),
    );
  });

  it('lets who comes back in its slot in before anybody new, and never echoes the ticket', async () => {
    const { app, clock } = await start({ handshakesPerSecond: 2 });
    await closeOf(app);
    await closeOf(app);
    const refused = await (await app.connect('/ws')).closed;
    const { retryAfterMs, slot } = JSON.parse(refused.reason) as { retryAfterMs: number; slot: string };
    await clock.advance(retryAfterMs);

    const stranger = await closeOf(app);
    const owner = await app.connect('/ws', { protocols: [OURS, `nestjs-channels.slot.${slot}`] });

    expect(stranger).toMatchObject({ code: 1013 });
    expect([owner.protocol, (await owner.request('whoami')).data]).toEqual([OURS, expect.anything()]);
  });

  it('asks no guard of who is refused', async () => {
    let asked = 0;
    const { app } = await start({ handshakesPerSecond: 1 }, () => ++asked > 0);

    await closeOf(app);
    await closeOf(app);

    expect(asked).toBe(1);
  });
});

describe('maxConnections', () => {
  it('refuses one more with 503, and takes one when one has gone', async () => {
    const { app, clock, refusals } = await start({ maxConnections: 2 });
    const first = await app.connect('/ws');
    await app.connect('/ws');

    const refusal = await refusalOf(app.connect('/ws', PLAIN));
    await first.close();
    await gone(app, 1);
    await clock.advance(5_000);

    expect(refusal).toMatchObject({ statusCode: 503, headers: { 'retry-after': '5' } });
    expect(refusals).toMatchObject([{ reason: 'connections', advice: 'maxConnections' }]);
    expect([await closeOf(app), await closeOf(app)]).toEqual(['in', expect.objectContaining({ code: 1013 })]);
  });

  it('keeps no place for who is refused by a guard, or leaves while one thinks', async () => {
    const { app } = await start({ maxConnections: 1, maxConnectionsPerAddress: 1 }, () => false);

    for (let at = 0; at < 3; at++) {
      expect((await refusalOf(app.connect('/ws', PLAIN))).statusCode).toBe(403);
    }
  });
});

describe('maxConnectionsPerPrincipal', () => {
  it('refuses the newest of one more with 4429, and the others go on', async () => {
    const { app, refusals } = await start({ maxConnectionsPerPrincipal: 3 });
    const clients = await Promise.all(Array.from({ length: 3 }, () => app.connect('/ws')));

    expect(await closeOf(app)).toEqual({ code: 4429, reason: '' });
    expect((await refusalOf(app.connect('/ws', PLAIN))).statusCode).toBe(429);

    expect(refusals[0]).toMatchObject({
      reason: 'principal_connections',
      advice: 'maxConnectionsPerPrincipal',
    });
    expect(await closeOf(app, {}, '/ws?user=bob')).toBe('in');
    expect((await clients[0]?.request('whoami'))?.data).toMatchObject({ principal: 'ada' });
  });

  it('takes one when one has gone', async () => {
    const { app } = await start({ maxConnectionsPerPrincipal: 1 });
    const first = await app.connect('/ws');
    expect(await closeOf(app)).toMatchObject({ code: 4429 });

    await first.close();
    await gone(app, 0);

    expect(await closeOf(app)).toBe('in');
  });

  it('does not count who is anonymous', async () => {
    const { app } = await start({ maxConnectionsPerPrincipal: 1 }, () => true);

    expect([await closeOf(app), await closeOf(app)]).toEqual(['in', 'in']);
  });

  // Guards take their time: those that run at once must not all find room.
  it('holds for those whose guards end at the same time', async () => {
    const { app } = await start({ maxConnectionsPerPrincipal: 3 });

    const closes = await Promise.all(Array.from({ length: 10 }, () => closeOf(app)));

    expect(closes.filter((close) => close === 'in')).toHaveLength(3);
  });
});

describe('caps per address', () => {
  it('are off unless trustProxy or a value is set', async () => {
    const off = { maxConnectionsPerAddress: 0, handshakesPerSecondPerAddress: 0 };
    const set = { maxConnectionsPerAddress: 7, handshakesPerSecondPerAddress: 8 };
    const optionsWith = async (channels: ChannelsModuleOptions): Promise<object> =>
      (await start(channels)).app.nest.get(Engine).options;

    expect(await optionsWith({})).toMatchObject(off);
    expect(await optionsWith({ trustProxy: 0 })).toMatchObject(off);
    expect(await optionsWith({ trustProxy: true })).toMatchObject(ADDRESS_DEFAULTS);
    expect(await optionsWith({ trustProxy: 2 })).toMatchObject(ADDRESS_DEFAULTS);
    expect(await optionsWith({ trustProxy: true, ...off })).toMatchObject(off);
    expect(await optionsWith({ trustProxy: true, ...set })).toMatchObject(set);
    expect(await optionsWith(set)).toMatchObject(set);
  });

  it('hold with trustProxy for the address that the proxy tells, one more is told when to come back', async () => {
    const { app, refusals } = await start({ trustProxy: true, handshakesPerSecondPerAddress: 5 });
    const from = (address: string): Promise<unknown> => closeOf(app, behind(`198.51.100.1, ${address}`));
    const closes = await Promise.all(Array.from({ length: 5 }, () => from('203.0.113.9')));

    const oneMore = await from('203.0.113.9');

    expect(closes.filter((close) => close !== 'in')).toEqual([]);
    expect(oneMore).toEqual({ code: 4429, reason: '{"retryAfterMs":200}' });
    expect(await from('203.0.113.10')).toBe('in');
    expect(refusals).toMatchObject([{ reason: 'address_rate', address: '203.0.113.9' }]);
  });

  // A proxy that sets no such header has one address for everybody: its cap would shut them all out.
  it('count nobody whom the proxy does not name', async () => {
    const { app } = await start({
      trustProxy: true,
      maxConnectionsPerAddress: 1,
      handshakesPerSecondPerAddress: 1,
    });

    expect([await closeOf(app), await closeOf(app, behind('unknown'))]).toEqual(['in', 'in']);
  });

  it.each([
    ['127.0.0.1, mapped or not', '::ffff:203.0.113.9', '203.0.113.9'],
    ['of one /64', '2001:db8:1:2::1', '2001:db8:1:2:ffff::9'],
  ])('take addresses %s for one', async (_what, first, second) => {
    const { app } = await start({ trustProxy: 1, maxConnectionsPerAddress: 1 });

    expect([await closeOf(app, behind(first)), await closeOf(app, behind(second))]).toEqual([
      'in',
      { code: 4429, reason: '' },
    ]);
    expect(await closeOf(app, behind('2001:db8:1:3::1'))).toBe('in');
  });

  it('hold without a proxy for the address of the socket, once they are set', async () => {
    const { app, refusals } = await start({ maxConnectionsPerAddress: 1 });
    const first = await app.connect('/ws', behind('203.0.113.9'));

    expect((await refusalOf(app.connect('/ws', { ...PLAIN, ...behind('203.0.113.10') }))).statusCode).toBe(
      429,
    );
    await first.close();
    await gone(app, 0);

    expect(await closeOf(app)).toBe('in');
    expect(refusals).toMatchObject([{ reason: 'address_connections' }]);
  });
});

it('leaves nothing in any table when everybody has gone', async () => {
  const { app, clock } = await start({
    trustProxy: true,
    handshakesPerSecond: 20,
    maxConnections: 15,
    maxConnectionsPerPrincipal: 5,
    maxConnectionsPerAddress: 4,
    handshakesPerSecondPerAddress: 6,
  });
  const { entrance } = app.nest.get(Engine);
  const knocks = Array.from({ length: 40 }, (_, at) =>
    app.connect(`/ws?user=u${at % 7}`, behind(`203.0.113.${at % 11}`)),
  );
  const clients = await Promise.all(knocks);
  const busy = entrance.size;

  await Promise.all(clients.map((client) => client.close()));
  await gone(app, 0);
  await clock.advance(120_000);

  expect([busy > 10, entrance.size]).toEqual([true, 0]);
});

/** Waits until the server has so many connections. */
async function gone(app: ChannelsTestApp, left: number): Promise<void> {
  await expect
    .poll(async () => (await app.channels.connections()).connections.length, { timeout: 5_000, interval: 5 })
    .toBe(left);
}

import { RedisBroker, type RedisBrokerOptions } from 'nestjs-channels/redis';
import type { ChannelsTestApp } from 'nestjs-channels/testing';
import { expect, it, vi } from 'vitest';
import { ask, HealthModule } from '../health/health-rig.js';
import { eventually } from '../support/redis/eventually.js';
import { RedisServer } from '../support/redis/redis-server.js';
import { freeServerPort } from '../support/redis/server-port.js';
import { startApp } from '../support/start-app.js';

vi.setConfig({ testTimeout: 60_000 });

/** What is promised: how long a Redis may be silent before nobody is sent here any more. */
const RED_WITHIN_MS = 6_000;
/** It is tried again after 2 s at most; the rest is for a machine that is busy. */
const GREEN_WITHIN_MS = 10_000;

const NEVER_MS = 600_000;

function startNode(options: RedisBrokerOptions): Promise<ChannelsTestApp> {
  return startApp({ imports: [HealthModule], channels: { broker: new RedisBroker(options) } });
}

const statusOf = async (app: ChannelsTestApp): Promise<number> => (await ask(app)).status;
const red = (app: ChannelsTestApp): Promise<boolean> =>
  eventually('it was red', async () => (await statusOf(app)) === 503, RED_WITHIN_MS);
const green = (app: ChannelsTestApp): Promise<boolean> =>
  eventually('it was green', async () => (await statusOf(app)) === 200, GREEN_WITHIN_MS);

it('is red within 6 s of when Redis stops answering, live all the while, and green when it answers again', async () => {
  const server = await RedisServer.start();
  const app = await startNode({ connection: server.url });
  const before = await ask(app);

  server.freeze();
  await red(app);
  const [ready, live] = [await ask(app), await ask(app, '/health/live')];
  server.thaw();
  await green(app);

  expect(before).toMatchObject({ status: 200, channels: { broker: 'ready' } });
  expect(ready.channels).toMatchObject({
    status: 'down',
    state: 'up',
    // The connection for commands is given up a second behind the other one.
    message: expect.stringMatching(/^the broker is (deaf: 2 probes have not come back|away: .+)$/),
  });
  expect(live).toMatchObject({ status: 200, channels: { status: 'up', state: 'up' } });
});

it('stays red for as long as Redis is silent, whatever of the connections is made anew', async () => {
  const server = await RedisServer.start();
  const app = await startNode({ connection: server.url, commandTimeoutMs: 1_000, probeIntervalMs: 500 });
  const states = new Set<unknown>();

  server.freeze();
  await red(app);
  // The connection for commands is given up behind the other one, and both are made anew in vain.
  await eventually('both had been given up', async () => {
    const { channels } = await ask(app);
    states.add(channels['status']);
    return channels['broker'] === 'away';
  });
  server.thaw();
  await green(app);

  expect(states).toEqual(new Set(['down']));
});

it('is red when Redis dies, which no probe has to find, and green when it is back', async () => {
  const server = await RedisServer.start();
  const app = await startNode({ connection: server.url, probeIntervalMs: NEVER_MS });

  await server.kill();
  await red(app);
  const { channels } = await ask(app);
  await server.restart();
  await green(app);

  expect(channels).toMatchObject({ status: 'down', broker: 'away' });
});

it('is red from the start on where it starts without Redis', async () => {
  const connection = `redis://127.0.0.1:${await freeServerPort()}`;
  const app = await startNode({ connection, awayAtStart: 'degrade', startTimeoutMs: 100 });

  expect(await ask(app)).toMatchObject({ status: 503, channels: { state: 'up', broker: 'away' } });
});

// Negative control: without the probe nothing tells that Redis is silent, and a node of another Redis is not concerned.
it('is green where nobody probes the silent Redis, and where it is another one', async () => {
  const [silent, other] = [await RedisServer.start(), await RedisServer.start()];
  const probing = await startNode({ connection: silent.url });
  const trusting = await startNode({
    connection: silent.url,
    probeIntervalMs: NEVER_MS,
    commandTimeoutMs: NEVER_MS,
  });
  const elsewhere = await startNode({ connection: other.url });

  silent.freeze();
  await red(probing);

  const statuses = [await statusOf(trusting), await statusOf(elsewhere)];
  silent.thaw();

  expect(statuses).toEqual([200, 200]);
});

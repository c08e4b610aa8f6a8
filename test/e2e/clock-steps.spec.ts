import { JwtService } from '@nestjs/jwt';
import { ChannelsClient } from 'nestjs-channels/client';
import { HandshakeRefused, TestClient } from 'nestjs-channels/testing';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { AppProcess, ensureBuilt } from '../support/app-process.js';
import { ClientLog } from '../support/client-rig.js';
import { SteppedClock, type SteppedClocks } from '../support/stepped-clock.js';

const SECRET = 'known to this test only';
const HOUR_S = 3_600;
const STEPS = [
  ['an hour ahead', HOUR_S],
  ['an hour back', -HOUR_S],
] as const;

/** Of `test/apps/clock`: so many frames of the server, one each 300 ms, are longer than its timeout of 1.5 s. */
const PINGS = 8;
const TIMEOUT_MS = 60_000;

interface Rig {
  readonly url: string;
  /** Resolves when the server itself sees the clock stepped. */
  step(offsetS: number): Promise<void>;
  connect(token?: string): Promise<TestClient>;
  open(): ClientLog;
}

const jwt = new JwtService({ secret: SECRET });
const lastingToken = jwt.sign({ sub: 'ann' }, { expiresIn: '10h' });

async function start(clocks?: SteppedClocks): Promise<Rig> {
  const clock = new SteppedClock(clocks);
  const app = await AppProcess.start('clock', { ...clock.env, SECRET });
  const url = `ws://127.0.0.1:${app.port}/ws`;
  const connect = async (token = lastingToken): Promise<TestClient> => {
    const client = await TestClient.connect(url, { token });
    onTestFinished(() => client.terminate());
    return client;
  };
  return {
    url,
    connect,
    step: async (offsetS) => {
      clock.step(offsetS);
      await using client = await connect();
      const { data } = await client.request('time');
      expect(Math.abs(Number(data) - Date.now() - offsetS * 1_000)).toBeLessThan(60_000);
    },
    open: () => {
      const client = new ChannelsClient(url, { WebSocket, token: lastingToken });
      onTestFinished(() => client.close());
      client.connect();
      return new ClientLog(client);
    },
  };
}

/** A peer that says who it is, so that a copy of its message is known on another connection. */
async function introduce(rig: Rig): Promise<TestClient> {
  const client = await rig.connect();
  await client.hello({ clientId: 'c'.repeat(22) });
  return client;
}

async function hearPings(client: TestClient, count: number): Promise<void> {
  for (let seen = 0; seen < count; seen += 1) {
    await client.waitFor({ event: '$ping' });
    client.send({ event: '$pong' });
  }
}

function position(joined: unknown): object {
  const { epoch, offset } = joined as { epoch: string; offset: number };
  return { epoch, offset };
}

beforeAll(ensureBuilt, 120_000);

describe.each(STEPS)('a server whose wall clock is set %s', (_what, offsetS) => {
  it('reaps nobody and answers all', { timeout: TIMEOUT_MS }, async () => {
    const rig = await start();
    const log = rig.open();
    const quiet = await rig.connect();
    await quiet.hello({ heartbeat: true });
    await log.reaches('open');
    const held = log.client.send('hold');
    await log.client.send('time');

    await rig.step(offsetS);
    await hearPings(quiet, PINGS);
    log.client.emit('release');
    const answers = await Promise.all(Array.from({ length: 50 }, () => log.client.send('time')));

    expect(await held).toBe('released');
    expect(answers).toHaveLength(50);
    expect(log.names).toEqual(['connecting', 'open']);
    expect((await quiet.request('time')).error).toBeUndefined();
  });

  it('knows what it has answered before', { timeout: TIMEOUT_MS }, async () => {
    const rig = await start();
    const first = await introduce(rig);
    await first.request('effect', 'once', { id: 'kept' });

    await rig.step(offsetS);
    const copy = await first.request('effect', 'once', { id: 'kept' });
    const second = await introduce(rig);
    const later = await second.request('effect', 'once', { id: 'kept' });

    expect([copy.data, later.data]).toEqual([1, 1]);
    expect((await second.request('effect', 'twice')).data).toBe(2);
  });

  it('has kept what it has published', { timeout: TIMEOUT_MS }, async () => {
    const rig = await start();
    const reader = await rig.connect();
    const { data: joined } = await reader.subscribe('news:all');
    await reader.request('publish', 'before');
    await reader.close();

    await rig.step(offsetS);
    const back = await rig.connect();
    const { data } = await back.subscribe('news:all', { since: position(joined) });
    await back.request('publish', 'after');

    expect(data).toMatchObject({ recovered: true, offset: 0 });
    expect(await back.waitFor({ channel: 'news:all', offset: 1 })).toMatchObject({ data: 'before' });
    expect(await back.waitFor({ channel: 'news:all', offset: 2 })).toMatchObject({ data: 'after' });
  });
});

describe('a token that is good for half an hour', () => {
  it(
    'is refused, and ends its connection, when the wall clock says that it has expired',
    { timeout: TIMEOUT_MS },
    async () => {
      const rig = await start();
      const token = jwt.sign({ sub: 'ann' }, { expiresIn: '30m' });
      // Without our subprotocol, so that a refusal is the HTTP response itself.
      const connect = (): Promise<TestClient> => TestClient.connect(rig.url, { token, protocols: [] });

      const before = await connect();
      await rig.step(HOUR_S);
      const expired = await connect().catch((error: unknown) => error);
      const ended = await before.closed;
      await rig.step(-HOUR_S);
      const after = await connect();

      expect(expired).toBeInstanceOf(HandshakeRefused);
      expect(expired).toMatchObject({ statusCode: 401 });
      expect(ended).toMatchObject({ code: 4401 });
      await after.close();
    },
  );
});

describe('a server whose monotonic clock is set an hour ahead as well', () => {
  it('loses what the tests above find kept, so that they can fail', { timeout: TIMEOUT_MS }, async () => {
    const rig = await start('wall and monotonic');
    const client = await introduce(rig);
    const { data: joined } = await client.subscribe('news:all');
    await client.request('publish', 'before');
    await client.request('effect', 'once', { id: 'kept' });
    const held = client.request('hold');
    await client.request('time');

    await rig.step(HOUR_S);
    const { error } = await held;
    const back = await introduce(rig);
    const copy = await back.request('effect', 'once', { id: 'kept' });
    const { data } = await back.subscribe('news:all', { since: position(joined) });

    expect(error).toMatchObject({ code: 'timeout' });
    expect(copy.data).toBe(2);
    expect(data).toMatchObject({ recovered: false });
  });
});

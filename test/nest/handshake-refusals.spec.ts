import { HttpException } from '@nestjs/common';
import { TestClock, type ChannelsTestApp } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { guardedGateway, type Check } from '../support/guarded-gateway.js';
import { clientFrame, RawSocket, upgradeRequest } from '../support/raw-socket.js';
import { recordRefusals, refusalOf } from '../support/refusals.js';
import { startApp } from '../support/start-app.js';

const OURS = 'nestjs-channels.v1.json';
const UNKNOWN = 'nestjs-channels.v9.json';
const INTERNAL = { statusCode: 500, message: 'Internal server error' };

/** docs/protocol.md, section 2.7, with statuses that the last two rows stand for. */
const TABLE = [
  [401, 4501],
  [403, 4503],
  [404, 4504],
  [413, 1009],
  [429, 4429],
  [503, 1013],
  [400, 4503],
  [402, 4503],
  [422, 4503],
  [500, 1011],
  [502, 1011],
  [504, 1011],
] as const;

const start = (check: Check): Promise<ChannelsTestApp> => startApp({ providers: [guardedGateway(check)] });

/** A guard that throws with the status that the query names. */
const byQuery: Check = ({ query }) => {
  throw new HttpException({ refusedWith: query['status'] }, Number(query['status']));
};

describe('the refusal of a handshake', () => {
  it.each(TABLE)('with %i closes a client of ours with %i', async (status, code) => {
    const app = await start(byQuery);

    const client = await app.connect(`/ws?status=${status}`);

    expect(await client.closed).toEqual({ code, reason: '' });
    expect([client.protocol, client.frames]).toEqual([OURS, []]);
  });

  it.each(TABLE)('with %i is plain HTTP for a plain client', async (status) => {
    const app = await start(byQuery);

    const refusal = await refusalOf(app.connect(`/ws?status=${status}`, { protocols: [] }));

    expect(refusal).toMatchObject({ statusCode: status, body: { refusedWith: String(status) } });
  });

  it('is plain HTTP where an entry of ours does not stand first', async () => {
    const app = await start(byQuery);

    const refusal = await refusalOf(app.connect('/ws?status=401', { protocols: ['graphql-ws', OURS] }));

    expect(refusal.statusCode).toBe(401);
  });

  it('makes a text that is thrown the message, as Nest does', async () => {
    const app = await start(() => {
      throw new HttpException('not today', 418);
    });

    const refusal = await refusalOf(app.connect('/ws', { protocols: [] }));

    expect(refusal.body).toEqual({ statusCode: 418, message: 'not today' });
  });
});

describe('a guard that fails', () => {
  const failing: Check = () => {
    throw new Error('the database password is hunter2');
  };

  it('refuses with 500, tells the peer nothing, and is reported', async () => {
    const { observer, failures } = recordRefusals();
    const app = await startApp({ providers: [guardedGateway(failing)], channels: { observers: [observer] } });

    const refusal = await refusalOf(app.connect('/ws', { protocols: [] }));

    expect([refusal.statusCode, refusal.body]).toEqual([500, INTERNAL]);
    expect(failures).toEqual([
      { where: 'the handshake', error: new Error('the database password is hunter2') },
    ]);
  });

  it('closes a client of ours with 1011', async () => {
    const app = await start(failing);

    const client = await app.connect('/ws');

    expect(await client.closed).toEqual({ code: 1011, reason: '' });
  });
});

describe('an unknown version', () => {
  it('is closed with 4506, selected as it was offered, and asks no guard', async () => {
    let asked = 0;
    const app = await start(() => ++asked > 0);

    const client = await app.connect('/ws', { protocols: [UNKNOWN, OURS] });

    expect(await client.closed).toMatchObject({ code: 4506 });
    expect([client.protocol, asked]).toEqual([UNKNOWN, 0]);
  });

  it('is refused with 404 where no gateway has the path', async () => {
    const app = await start(() => true);

    const client = await app.connect('/nowhere', { protocols: [UNKNOWN] });

    expect(await client.closed).toEqual({ code: 4504, reason: '' });
    expect(client.protocol).toBe(UNKNOWN);
  });
});

describe('a refusal that cannot be written', () => {
  const circular: Record<string, unknown> = {};
  circular['itself'] = circular;

  // The answer threw after the guards' own failures had been dealt with, and so ended the process.
  it.each<[string, Check]>([
    [
      'a header with a line break',
      (_request, response) => {
        response.setHeader('X-Reason', 'no\r\nX-Injected: 1\r\n\r\nHTTP/1.1 200 OK');
        return false;
      },
    ],
    [
      'a circular body',
      () => {
        throw new HttpException(circular, 403);
      },
    ],
    [
      'a BigInt in the body',
      () => {
        throw new HttpException({ left: 1n }, 429);
      },
    ],
  ])('because of %s becomes one plain 500 and is reported', async (_what, check) => {
    const { observer, failures } = recordRefusals();
    const app = await startApp({ providers: [guardedGateway(check)], channels: { observers: [observer] } });
    const socket = await RawSocket.connect(app.port);

    socket.write(upgradeRequest('/ws'));
    await socket.closed;

    expect(socket.response.head).toMatch(/^HTTP\/1\.1 500 Internal Server Error\r\n/);
    expect(socket.response.head).not.toContain('X-Injected');
    expect(failures).toEqual([{ where: 'the handshake', error: expect.any(TypeError) }]);
  });
});

describe('a refused client of ours that sends on', () => {
  // Its message is over the limit of a socket that reads nothing: an error that nobody may miss.
  it.each([
    ['a message', clientFrame('x'.repeat(1_000))],
    ['no frame at all', Buffer.alloc(1_000, 0xff)],
  ])('%s in the same packet harms nobody, and sees the close first', async (_what, behind) => {
    const { observer, failures } = recordRefusals();
    const app = await startApp({
      providers: [guardedGateway(({ query }) => query['no'] === undefined)],
      channels: { observers: [observer] },
    });
    const socket = await RawSocket.connect(app.port);

    socket.write(upgradeRequest('/ws?no', { 'Sec-WebSocket-Protocol': OURS }), behind);
    await socket.closed;
    const next = await app.connect('/ws');

    expect([socket.closeCode, socket.response.frames.length]).toEqual([4503, 1]);
    expect((await next.request('whoami')).data).toMatchObject({ principal: '' });
    expect(failures).toEqual([]);
  });
});

describe('a refused client of ours that does not answer the close', () => {
  const closed = (socket: RawSocket): Promise<boolean> =>
    Promise.race([socket.closed.then(() => true), new Promise<boolean>((done) => setImmediate(done, false))]);

  it('is destroyed after a second, and not before', async () => {
    const clock = new TestClock();
    const app = await startApp({ clock, providers: [guardedGateway(() => false)] });
    const socket = await RawSocket.connect(app.port);
    socket.write(upgradeRequest('/ws', { 'Sec-WebSocket-Protocol': OURS }));
    await socket.until(() => socket.closeCode === 4503);

    await clock.advance(999);
    const early = await closed(socket);
    await clock.advance(1);
    await socket.closed;

    expect(early).toBe(false);
  });

  it('leaves no timer behind when it does answer', async () => {
    const clock = new TestClock();
    const app = await startApp({ clock, providers: [guardedGateway(() => false)] });
    const timers = clock.pendingTimers;

    const client = await app.connect('/ws');
    await client.closed;
    while (clock.pendingTimers > timers) await clock.advance(0);

    expect(clock.pendingTimers).toBe(timers);
  });
});

import { Logger } from '@nestjs/common';
import type { ChannelsModuleOptions, HandshakeRequest } from 'nestjs-channels';
import { TestClock, type ChannelsTestApp, type TestClientOptions } from 'nestjs-channels/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { guardedGateway } from '../support/guarded-gateway.js';
import { RawSocket, upgradeRequest } from '../support/raw-socket.js';
import { recordRefusals, refusalOf } from '../support/refusals.js';
import { startApp } from '../support/start-app.js';

const OURS = 'nestjs-channels.v1.json';
const BEARER = 'nestjs-channels.bearer.';
const SECRET = 'head.payload-of_a.signature';
const ENCODED = Buffer.from(SECRET).toString('base64url');

/** What a guard finds in its request. */
interface Seen {
  readonly authorization: string | undefined;
  readonly protocols: string | undefined;
  readonly everything: string;
}

function look({ headers, headersDistinct, rawHeaders }: HandshakeRequest): Seen {
  const rest = { ...headers, authorization: undefined };
  return {
    authorization: headers.authorization,
    protocols: headers['sec-websocket-protocol'],
    everything: JSON.stringify([rest, headersDistinct, rawHeaders]),
  };
}

async function start(channels: ChannelsModuleOptions = {}): Promise<{ app: ChannelsTestApp; seen: Seen[] }> {
  const seen: Seen[] = [];
  const gateway = guardedGateway((request) => seen.push(look(request)) > 0);
  return { app: await startApp({ providers: [gateway], channels }), seen };
}

async function authorizationOf(
  options: TestClientOptions,
  channels?: ChannelsModuleOptions,
): Promise<unknown> {
  const { app, seen } = await start(channels);
  await app.connect('/ws', options);
  return seen[0]?.authorization;
}

describe('the token of a handshake', () => {
  it('is found in the header', async () => {
    expect(await authorizationOf({ token: SECRET })).toBe(`Bearer ${SECRET}`);
  });

  it('is found in the subprotocol, and nowhere else by those who read on', async () => {
    const { app, seen } = await start();

    const client = await app.connect('/ws', { bearer: SECRET });

    expect(seen).toMatchObject([{ authorization: `Bearer ${SECRET}`, protocols: OURS }]);
    expect(seen[0]?.everything).not.toContain(ENCODED);
    expect(seen[0]?.everything).not.toContain(BEARER);
    expect(client.protocol).toBe(OURS);
  });

  it('is found in the cookie that the option names', async () => {
    const { app, seen } = await start({
      tokenCookie: 'session',
      allowedOrigins: ['https://app.example.com'],
    });

    await app.connect('/ws', {
      headers: { cookie: `theme=dark; session=${SECRET}` },
      origin: 'https://app.example.com',
    });

    expect(seen[0]?.authorization).toBe(`Bearer ${SECRET}`);
  });

  it('is not found in a cookie when no option names one', async () => {
    expect(await authorizationOf({ headers: { cookie: `session=${SECRET}` } })).toBeUndefined();
  });

  it('comes from the header before the subprotocol before the cookie', async () => {
    const cookie = { cookie: 'session=from-cookie' };
    const channels = { tokenCookie: 'session', allowedOrigins: [] };

    expect(await authorizationOf({ token: 'from-header', bearer: 'b', headers: cookie }, channels)).toBe(
      'Bearer from-header',
    );
    expect(await authorizationOf({ bearer: 'from-entry', headers: cookie }, channels)).toBe(
      'Bearer from-entry',
    );
  });

  it('is not hidden by Basic credentials', async () => {
    const headers = { authorization: 'Basic dXNlcjpwYXNz' };

    expect(await authorizationOf({ bearer: SECRET, headers })).toBe(`Bearer ${SECRET}`);
    expect(await authorizationOf({ headers })).toBe('Basic dXNlcjpwYXNz');
  });

  it.each(['token', 'access_token', 'authorization', 'bearer', 'auth'])(
    'is not looked for in the parameter %s of the URL',
    async (name) => {
      const { app, seen } = await start({ tokenCookie: name, allowedOrigins: [] });

      await app.connect(`/ws?${name}=${SECRET}`);

      expect(seen[0]?.authorization).toBeUndefined();
    },
  );
});

describe('a bearer entry', () => {
  it.each([
    ['behind a foreign one', ['graphql-ws', BEARER + ENCODED], 'graphql-ws'],
    ['alone', [BEARER + ENCODED], undefined],
    ['in front of ours', [BEARER + ENCODED, OURS], OURS],
  ])('is ignored %s, taken out and never selected', async (_where, protocols, left) => {
    const { app, seen } = await start();
    const socket = await RawSocket.connect(app.port);

    socket.write(upgradeRequest('/ws', { 'Sec-WebSocket-Protocol': protocols.join(', ') }));
    await socket.until(() => socket.response.head.startsWith('HTTP/1.1 101'));

    expect(seen).toMatchObject([{ authorization: undefined, protocols: left }]);
    expect(socket.response.head).not.toContain(ENCODED);
  });

  // A connection could have selected our protocol and yet count as plain.
  it('in front of ours leaves the connection ours', async () => {
    const { app } = await start({ plainAcks: false });
    const refusing = await startApp({ providers: [guardedGateway(() => false)] });
    const protocols = [BEARER + ENCODED, OURS];

    const client = await app.connect('/ws', { protocols });
    const refused = await refusing.connect('/ws', { protocols });
    const lost = await refusing.connect('/nowhere', { protocols });

    expect([client.protocol, refused.protocol, lost.protocol]).toEqual([OURS, OURS, OURS]);
    expect((await client.request('whoami')).data).toMatchObject({ principal: '' });
    expect(await refused.closed).toMatchObject({ code: 4503 });
    expect(await lost.closed).toMatchObject({ code: 4504 });
  });

  it.each(['', 'not~base64', 'YQ==', Buffer.from('two words').toString('base64url')])(
    'that holds no token, %j, leaves the guard without one',
    async (encoded) => {
      const { app, seen } = await start();
      const socket = await RawSocket.connect(app.port);

      socket.write(upgradeRequest('/ws', { 'Sec-WebSocket-Protocol': `${OURS}, ${BEARER}${encoded}` }));
      await socket.until(() => socket.response.head.startsWith('HTTP/1.1 101'));

      expect(seen).toMatchObject([{ authorization: undefined, protocols: OURS }]);
    },
  );

  it('is not echoed by a refusal either', async () => {
    const app = await startApp({ providers: [guardedGateway(() => false)] });
    const socket = await RawSocket.connect(app.port);

    socket.write(upgradeRequest('/ws', { 'Sec-WebSocket-Protocol': `${OURS}, ${BEARER}${ENCODED}` }));
    await socket.until(() => socket.closeCode !== undefined);

    expect(socket.response.head).toContain(`Sec-WebSocket-Protocol: ${OURS}`);
    expect(socket.response.head).not.toContain(BEARER);
  });
});

describe('a refused token', () => {
  afterEach(() => vi.restoreAllMocks());

  it('stands in no fact and no line of the log', async () => {
    const { observer, refusals } = recordRefusals();
    const clock = new TestClock();
    const app = await startApp({
      clock,
      providers: [guardedGateway(() => false)],
      channels: { observers: [observer], logFormat: 'text' },
    });
    const warn = vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);

    await refusalOf(app.connect(`/ws?token=${SECRET}`, { protocols: [], token: SECRET }));
    // A line is written once a second.
    await clock.advance(1_000);
    await (
      await app.connect(`/ws?token=${SECRET}`, { bearer: SECRET })
    ).closed;

    expect(refusals.map(({ url }) => url)).toEqual(['/ws', '/ws']);
    expect(warn).toHaveBeenCalledTimes(2);
    expect(JSON.stringify([refusals, warn.mock.calls])).not.toMatch(new RegExp(`${SECRET}|${ENCODED}`));
  });
});

import { HttpException, UnauthorizedException } from '@nestjs/common';
import type { HandshakeRequest } from 'nestjs-channels';
import type { ChannelsTestApp } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { guardedGateway, type Check } from '../support/guarded-gateway.js';
import { HTTP_FRAMEWORKS } from '../support/http-frameworks.js';
import { RawSocket, upgradeRequest } from '../support/raw-socket.js';
import { refusalOf } from '../support/refusals.js';
import { startApp } from '../support/start-app.js';

const USERS = new Map([['Bearer good', { sub: 'ann' }]]);

function knownUser(request: HandshakeRequest): boolean {
  request.user = USERS.get(request.headers.authorization ?? '');
  if (!request.user) throw new UnauthorizedException('a token is required');
  return true;
}

const throttled: Check = (_request, response) => {
  response.setHeader('Retry-After', '7');
  throw new HttpException({ statusCode: 429, message: 'slow down', left: 0 }, 429);
};

describe.each(HTTP_FRAMEWORKS)('a handshake with %s', (_name, httpAdapter) => {
  const start = (check: Check): Promise<ChannelsTestApp> =>
    startApp({ httpAdapter, providers: [guardedGateway(check)] });

  it('lets a client in that the guard knows', async () => {
    const app = await start(knownUser);

    const client = await app.connect('/ws', { token: 'good' });
    const ack = await client.request('whoami');

    expect(ack.data).toMatchObject({ user: { sub: 'ann' }, principal: 'ann', params: {} });
  });

  it('lets a page of the same host in', async () => {
    const app = await start(knownUser);

    const client = await app.connect('/ws', { bearer: 'good', origin: `http://127.0.0.1:${app.port}` });

    expect(client.protocol).toBe('nestjs-channels.v1.json');
    expect(await client.request('whoami')).toMatchObject({ data: { principal: 'ann' } });
  });

  it('answers 401 with the JSON body of Nest, and no 101, when the token is missing', async () => {
    const app = await start(knownUser);
    const socket = await RawSocket.connect(app.port);

    socket.write(upgradeRequest('/ws'));
    await socket.closed;

    const [statusLine, ...headers] = socket.response.head.split('\r\n');
    const { statusCode, body } = await refusalOf(app.connect('/ws', { protocols: [] }));
    expect(statusLine).toBe('HTTP/1.1 401 Unauthorized');
    expect(headers).toContain('Content-Type: application/json; charset=utf-8');
    expect(headers).toContain('Connection: close');
    expect([statusCode, body]).toEqual([
      401,
      { statusCode: 401, message: 'a token is required', error: 'Unauthorized' },
    ]);
  });

  it('closes a client of ours with 4501, without a frame, when the token is missing', async () => {
    const app = await start(knownUser);

    const client = await app.connect('/ws');

    expect(await client.closed).toEqual({ code: 4501, reason: '' });
    expect([client.protocol, client.frames]).toEqual(['nestjs-channels.v1.json', []]);
  });

  it.each([
    ['a plain client', []],
    ['a client of ours', ['nestjs-channels.v1.json']],
    ['a client of an unknown version', ['nestjs-channels.v9.json']],
  ])('answers 403 in plain HTTP to a foreign page of %s, and asks no guard', async (_who, protocols) => {
    const asked: unknown[] = [];
    const app = await start((request) => asked.push(request.url) > 0);

    const refusal = await refusalOf(app.connect('/ws', { protocols, origin: 'https://evil.example' }));

    expect(refusal).toMatchObject({
      statusCode: 403,
      headers: { 'content-type': 'application/json; charset=utf-8', connection: 'close' },
      body: { statusCode: 403, message: 'this page may not connect', error: 'Forbidden' },
    });
    expect(asked).toEqual([]);
  });

  it('relays the status, the headers and the body of what a guard throws', async () => {
    const app = await start(throttled);

    const refusal = await refusalOf(app.connect('/ws', { protocols: [] }));

    expect(refusal).toMatchObject({ statusCode: 429, headers: { 'retry-after': '7' } });
    expect(refusal.body).toEqual({ statusCode: 429, message: 'slow down', left: 0 });
  });

  it('tells a client of ours when to come back', async () => {
    const app = await start(throttled);

    const client = await app.connect('/ws');

    expect(await client.closed).toEqual({ code: 4429, reason: '{"retryAfterMs":7000}' });
    expect(client.frames).toEqual([]);
  });

  it('refuses with the words of Nest when a guard says no', async () => {
    const app = await start(() => false);

    const { statusCode, body } = await refusalOf(app.connect('/ws', { protocols: [] }));

    expect([statusCode, body]).toEqual([
      403,
      { statusCode: 403, message: 'Forbidden resource', error: 'Forbidden' },
    ]);
  });

  it('keeps serving HTTP', async () => {
    const app = await start(knownUser);

    const response = await fetch(`http://127.0.0.1:${app.port}/nowhere`);

    expect([response.status, await response.json()]).toMatchObject([404, { statusCode: 404 }]);
  });
});

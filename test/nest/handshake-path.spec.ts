import type { Type } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import { UseHandshakeGuards, type HandshakeRequest } from 'nestjs-channels';
import { describe, expect, it } from 'vitest';
import { CheckGuard, WhoamiGateway, type Whoami } from '../support/guarded-gateway.js';
import { HTTP_FRAMEWORKS } from '../support/http-frameworks.js';
import { RawSocket, upgradeRequest } from '../support/raw-socket.js';
import { refusalOf } from '../support/refusals.js';
import { startApp } from '../support/start-app.js';

const PLAIN = { protocols: [] };

function gatewayAt(path: string | undefined, guard = new CheckGuard(() => true)): Type {
  @WebSocketGateway({ path })
  @UseHandshakeGuards(guard)
  class Gateway extends WhoamiGateway {}

  return Gateway;
}

/** The path's parameters as the client of this gateway has them. */
async function paramsOf(gatewayPath: string, path: string): Promise<unknown> {
  const app = await startApp({ providers: [gatewayAt(gatewayPath)] });
  const client = await app.connect(path);
  return ((await client.request('whoami')).data as Whoami).params;
}

describe.each(HTTP_FRAMEWORKS)('a path with parameters, with %s', (_name, httpAdapter) => {
  it('gives them to the guard and to the client', async () => {
    const seen: unknown[] = [];
    const guard = new CheckGuard(({ params }: HandshakeRequest) => seen.push(params) > 0);
    const app = await startApp({ httpAdapter, providers: [gatewayAt('/chat/:tenant/:room/ws', guard)] });

    const client = await app.connect('/chat/acme/lobby/ws?room=attic');

    expect(seen).toEqual([{ tenant: 'acme', room: 'lobby' }]);
    expect((await client.request('whoami')).data).toMatchObject({
      params: { tenant: 'acme', room: 'lobby' },
    });
  });
});

describe('a path with parameters', () => {
  it.each([
    ['/chat/caf%C3%A9/ws', 'café'],
    ['/chat/a%2Fb/ws', 'a/b'],
    ['/chat/%3Cb%3E/ws', '<b>'],
    ['/chat/a+b/ws', 'a+b'],
    ['/chat/constructor/ws', 'constructor'],
  ])('decodes %s', async (path, tenant) => {
    expect(await paramsOf('/chat/:tenant/ws', path)).toEqual({ tenant });
  });

  it.each(['/chat/%E0%A4%A/ws', '/chat/%/ws', '/chat/%FF/ws', '/chat//ws', '/chat/ws', '/chat/a/b/ws'])(
    'does not match %s, which is refused with 404',
    async (path) => {
      const app = await startApp({ providers: [gatewayAt('/chat/:tenant/ws')] });

      const refusal = await refusalOf(app.connect(path, PLAIN));

      expect(refusal.statusCode).toBe(404);
    },
  );

  it('gives way to one without', async () => {
    const app = await startApp({ providers: [gatewayAt('/:tenant/ws'), gatewayAt('/admin/ws')] });

    const admin = await app.connect('/admin/ws');
    const acme = await app.connect('/acme/ws');

    expect((await admin.request('whoami')).data).toMatchObject({ params: {} });
    expect((await acme.request('whoami')).data).toMatchObject({ params: { tenant: 'acme' } });
  });

  it('refuses the start beside another of the same shape', async () => {
    const start = startApp({ providers: [gatewayAt('/:tenant/ws'), gatewayAt('/:customer/ws')] });

    await expect(start).rejects.toThrow('match the same names; keep one of them');
  });
});

describe('a path', () => {
  it.each([
    ['ws', '/ws'],
    ['/ws/', '/ws'],
    [undefined, '/'],
    ['', '/'],
    ['/', '/'],
  ])('written %j is served at %j', async (written, path) => {
    const app = await startApp({ providers: [gatewayAt(written)] });

    const client = await app.connect(path);

    expect((await client.request('whoami')).data).toMatchObject({ params: {} });
  });

  it.each(['/ws/', '/WS', '/ws/a', '/'])('is not served at %s, as in the stock adapter', async (path) => {
    const app = await startApp({ providers: [gatewayAt('/ws')] });

    const refusal = await refusalOf(app.connect(path, PLAIN));

    expect(refusal.statusCode).toBe(404);
  });

  it('is found in a request that names the whole URL', async () => {
    const app = await startApp({ providers: [gatewayAt('/ws')] });
    const socket = await RawSocket.connect(app.port);

    socket.write(upgradeRequest('http://example.com/ws?a=1'));
    await socket.until(() => socket.response.head !== '');

    expect(socket.response.head).toMatch(/^HTTP\/1\.1 101 /);
  });

  it('of two gateways is one connection', async () => {
    const app = await startApp({ providers: [gatewayAt('/ws'), gatewayAt('ws/')] });

    await app.connect('/ws');

    expect((await app.channels.connections()).connections).toHaveLength(1);
  });
});

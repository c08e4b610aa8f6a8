import type { Server } from 'node:http';
import { WebSocketGateway } from '@nestjs/websockets';
import type { HandshakeRequest } from 'nestjs-channels';
import type { ChannelsTestApp } from 'nestjs-channels/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';
import { Deferred } from '../../support/deferred.js';
import { guardedGateway, WhoamiGateway } from '../../support/guarded-gateway.js';
import { HTTP_FRAMEWORKS } from '../../support/http-frameworks.js';
import { RawSocket, upgradeRequest } from '../../support/raw-socket.js';
import { recordRefusals, refusalOf, type RefusalRecorder } from '../../support/refusals.js';
import { startApp } from '../../support/start-app.js';

const PLAIN = { protocols: [] };

@WebSocketGateway({ path: '/ws' })
class Gateway extends WhoamiGateway {}

interface Rig extends RefusalRecorder {
  readonly app: ChannelsTestApp;
}

/** The head of the response to this request. */
async function headOf(app: ChannelsTestApp, request: string): Promise<string> {
  const socket = await RawSocket.connect(app.port);
  socket.write(request);
  await socket.closed;
  return socket.response.head;
}

describe.each(HTTP_FRAMEWORKS)('an upgrade to a path without a gateway, with %s', (_name, httpAdapter) => {
  it('is refused with 404', async () => {
    const app = await startApp({ httpAdapter, providers: [Gateway] });

    const refusal = await refusalOf(app.connect('/nowhere', PLAIN));

    expect([refusal.statusCode, refusal.body]).toEqual([404, { statusCode: 404, message: 'Not Found' }]);
  });

  it('closes a client of ours with 4504', async () => {
    const app = await startApp({ httpAdapter, providers: [Gateway] });

    const client = await app.connect('/nowhere');

    expect(await client.closed).toEqual({ code: 4504, reason: '' });
  });

  it('is left to another listener of the same HTTP server', async () => {
    const other = new WebSocketServer({ noServer: true });
    const greet = (client: WebSocket): void => client.send('"from the other"');
    const app = await startApp({
      httpAdapter,
      providers: [Gateway],
      configure: (nest) => {
        (nest.getHttpServer() as Server).on('upgrade', (request, socket, head) => {
          if (request.url === '/graphql') other.handleUpgrade(request, socket, head, greet);
        });
      },
    });
    onTestFinished(() => {
      for (const client of other.clients) client.terminate();
    });

    const theirs = await app.connect('/graphql', { origin: 'https://elsewhere.example' });
    const ours = await app.connect('/ws');

    expect(await theirs.next()).toBe('from the other');
    expect((await ours.request('whoami')).data).toMatchObject({ principal: '' });
  });

  it('gets no answer of ours when the other listener has none either', async () => {
    const { observer, refusals } = recordRefusals();
    const app = await startApp({ httpAdapter, providers: [Gateway], channels: { observers: [observer] } });
    const server = app.nest.getHttpServer() as Server;
    const left = new Promise<NodeJS.EventEmitter>((resolve) =>
      server.on('upgrade', (_request, socket) => resolve(socket)),
    );
    const socket = await RawSocket.connect(app.port);

    socket.write(upgradeRequest('/nowhere'));
    const theirs = (await left) as NodeJS.EventEmitter & { end(text: string): void };
    theirs.end('bye');
    await socket.closed;

    expect(socket.response.head).toBe('bye');
    // One listener of ours, so that a reset does not end the process.
    expect([refusals, theirs.listenerCount('error')]).toEqual([[], 1]);
  });
});

describe('a request that is no valid upgrade', () => {
  const request = upgradeRequest('/ws');

  it.each([
    ['no key', request.replace(/Sec-WebSocket-Key: .*\r\n/, '')],
    ['a broken key', request.replace(/Sec-WebSocket-Key: .*/, 'Sec-WebSocket-Key: short')],
    ['an unknown version of WebSocket', request.replace('Version: 13', 'Version: 99')],
    ['another protocol', request.replace('Upgrade: websocket', 'Upgrade: h2c')],
    ['another method', request.replace('GET', 'POST')],
    ['a path that is no URL', request.replace('GET /ws', 'GET //')],
    ['the same subprotocol twice', request.replace('\r\n\r\n', '\r\nSec-WebSocket-Protocol: a, a\r\n\r\n')],
  ])('is answered with 400: %s', async (_what, text) => {
    const app = await startApp({ providers: [Gateway] });

    const head = await headOf(app, text);

    expect(head).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
  });

  it('is answered with 400 also to a client of ours', async () => {
    const app = await startApp({ providers: [guardedGateway(() => false)] });
    const ours = upgradeRequest('/ws', { 'Sec-WebSocket-Protocol': 'nestjs-channels.v1.json' });

    const heads = await Promise.all([
      headOf(app, ours.replace('GET', 'POST')),
      headOf(app, ours.replace(/Sec-WebSocket-Key: .*\r\n/, '')),
    ]);

    for (const head of heads) expect(head).toMatch(/^HTTP\/1\.1 400 /);
  });
});

describe('the order of the checks', () => {
  const foreign = { origin: 'https://evil.example' };
  const unknown = { protocols: ['nestjs-channels.v9.json'] };

  it('has the path before the origin before the version before the guards', async () => {
    let asked = 0;
    const app = await startApp({ providers: [guardedGateway(() => ++asked < 0)] });

    const path = await app.connect('/nowhere', { ...foreign, ...unknown });
    const origin = await refusalOf(app.connect('/ws', { ...foreign, ...unknown }));
    const version = await app.connect('/ws', unknown);
    const before = asked;
    const guard = await app.connect('/ws');

    expect(await path.closed).toMatchObject({ code: 4504 });
    expect(origin.statusCode).toBe(403);
    expect(await version.closed).toMatchObject({ code: 4506 });
    expect(await guard.closed).toMatchObject({ code: 4503 });
    expect([before, asked]).toEqual([0, 1]);
  });

  it('has the version before the room', async () => {
    const asked = new Deferred();
    const gateway = guardedGateway(() => {
      asked.resolve();
      return new Promise<boolean>(() => undefined);
    });
    const app = await startApp({ providers: [gateway], channels: { maxPendingUpgrades: 1 } });
    const waiting = await RawSocket.connect(app.port);
    waiting.write(upgradeRequest('/ws'));
    await asked.promise;

    const version = await app.connect('/ws', unknown);
    const room = await app.connect('/ws');

    expect(await version.closed).toMatchObject({ code: 4506 });
    expect(await room.closed).toMatchObject({ code: 1013 });
  });
});

describe('a listener for "connection" on the server', () => {
  async function start(listener: (client: WebSocket, request: HandshakeRequest) => void): Promise<Rig> {
    @WebSocketGateway({ path: '/ws' })
    class Listening extends WhoamiGateway {
      afterInit(server: WebSocketServer): void {
        server.on('connection', listener);
      }
    }
    const recorder = recordRefusals();
    const app = await startApp({ providers: [Listening], channels: { observers: [recorder.observer] } });
    return { app, ...recorder };
  }

  it('hears of each client, with its request', async () => {
    const heard: unknown[] = [];
    const { app } = await start((client, { url, ip }) => heard.push([client.readyState, url, ip]));

    const client = await app.connect('/ws?a=1');
    await client.request('whoami');

    expect(heard).toEqual([[1, '/ws?a=1', '127.0.0.1']]);
  });

  it('that throws is reported and harms nobody', async () => {
    const error = new Error('a broken listener');
    const { app, failures } = await start(() => {
      throw error;
    });

    const client = await app.connect('/ws');

    expect((await client.request('whoami')).data).toMatchObject({ principal: '' });
    expect(failures).toEqual([{ where: 'a "connection" listener', error }]);
  });
});

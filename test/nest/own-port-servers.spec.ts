import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { Injectable, type OnModuleInit, type Type } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import { UseHandshakeGuards } from 'nestjs-channels';
import { describe, expect, it } from 'vitest';
import { freePort } from '../support/free-port.js';
import { CheckGuard, WhoamiGateway, type Check } from '../support/guarded-gateway.js';
import { refusalOf } from '../support/refusals.js';
import { startApp } from '../support/start-app.js';

const PLAIN = { protocols: [] };
const LOCAL = '127.0.0.1';

/** How a connection attempt ends: `connect`, or the code of its error. */
async function knock(port: number, host = LOCAL): Promise<string> {
  const socket = connect(port, host);
  const outcome = await new Promise<string>((resolve) => {
    socket.once('connect', () => resolve('connect'));
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
  });
  socket.destroy();
  return outcome;
}

function gatewayOn(port: number, options: object, check: Check = () => true): Type<WhoamiGateway> {
  @WebSocketGateway(port, options)
  @UseHandshakeGuards(new CheckGuard(check))
  class OwnPort extends WhoamiGateway {}

  return OwnPort;
}

describe('a gateway with a port of its own', () => {
  it('listens on the host that it names, and on no other', async () => {
    const port = await freePort();
    const app = await startApp({ providers: [gatewayOn(port, { path: '/ws', host: LOCAL })] });

    const client = await app.connectTo(`ws://${LOCAL}:${port}/ws`);

    expect((await client.request('whoami')).data).toMatchObject({ principal: '' });
    expect(await knock(port, '127.0.0.2')).toBe('ECONNREFUSED');
  });

  it('listens on the host that the module names when it names none', async () => {
    const port = await freePort('127.0.0.2');
    const app = await startApp({ providers: [gatewayOn(port, {})], channels: { host: '127.0.0.2' } });

    const client = await app.connectTo(`ws://127.0.0.2:${port}/`);

    expect((await client.request('whoami')).data).toMatchObject({ principal: '' });
    expect(await knock(port)).toBe('ECONNREFUSED');
  });

  it('prefers its own host to that of the module', async () => {
    const port = await freePort();
    const app = await startApp({
      providers: [gatewayOn(port, { host: LOCAL })],
      channels: { host: '127.0.0.2' },
    });

    await app.connectTo(`ws://${LOCAL}:${port}/`);

    expect(await knock(port, '127.0.0.2')).toBe('ECONNREFUSED');
  });

  it('runs its guards, and answers with HTTP before the 101', async () => {
    const port = await freePort();
    const app = await startApp({ providers: [gatewayOn(port, { path: '/ws', host: LOCAL }, () => false)] });

    const refusal = await refusalOf(app.connectTo(`ws://${LOCAL}:${port}/ws`, PLAIN));

    expect(refusal).toMatchObject({ statusCode: 403, body: { message: 'Forbidden resource' } });
  });

  it('refuses other paths with 404, and is not served at the port of the application', async () => {
    const port = await freePort();
    const app = await startApp({ providers: [gatewayOn(port, { path: '/ws', host: LOCAL })] });

    const elsewhere = await refusalOf(app.connectTo(`ws://${LOCAL}:${port}/nowhere`, PLAIN));
    const application = await refusalOf(app.connect('/ws', PLAIN));

    expect([elsewhere.statusCode, application.statusCode]).toEqual([404, 404]);
  });

  it('takes every path when it names none', async () => {
    const port = await freePort();
    const app = await startApp({ providers: [gatewayOn(port, { host: LOCAL })] });

    const client = await app.connectTo(`ws://${LOCAL}:${port}/any/where`);

    expect((await client.request('whoami')).data).toMatchObject({ params: {} });
  });

  it('asks a request that is no upgrade for one', async () => {
    const port = await freePort();
    await startApp({ providers: [gatewayOn(port, { host: LOCAL })] });

    const response = await fetch(`http://${LOCAL}:${port}/`);

    expect(response.status).toBe(426);
    expect(await response.json()).toMatchObject({ statusCode: 426 });
  });

  it('cannot be reached before the application has been bootstrapped', async () => {
    const port = await freePort();
    const knocks: string[] = [];

    @Injectable()
    class Knocker implements OnModuleInit {
      async onModuleInit(): Promise<void> {
        knocks.push(await knock(port));
      }
    }
    await startApp({ providers: [Knocker, gatewayOn(port, { host: LOCAL })] });

    knocks.push(await knock(port));

    expect(knocks).toEqual(['ECONNREFUSED', 'connect']);
  });

  it('refuses the start when its port is taken', async () => {
    const server = createServer();
    await once(server.listen(0, LOCAL), 'listening');
    const { port } = server.address() as AddressInfo;

    const start = startApp({ providers: [gatewayOn(port, { host: LOCAL })] });

    await expect(start).rejects.toThrow('EADDRINUSE');
    await new Promise((resolve) => server.close(resolve));
  });

  it('gives its port back when the application closes', async () => {
    const port = await freePort();
    const app = await startApp({ providers: [gatewayOn(port, { host: LOCAL })] });
    const client = await app.connectTo(`ws://${LOCAL}:${port}/`);

    await app.nest.close();

    expect(await client.closed).toMatchObject({ code: 1012 });
    expect(await knock(port)).toBe('ECONNREFUSED');
  });

  it('compares the host name alone of a page that connects', async () => {
    const port = await freePort();
    const app = await startApp({ providers: [gatewayOn(port, { host: LOCAL })] });
    const url = `ws://${LOCAL}:${port}/`;

    const page = await app.connectTo(url, { origin: `http://${LOCAL}:${app.port}` });
    const foreign = await refusalOf(app.connectTo(url, { origin: 'http://127.0.0.2' }));

    expect((await page.request('whoami')).data).toMatchObject({ principal: '' });
    expect(foreign.statusCode).toBe(403);
  });
});

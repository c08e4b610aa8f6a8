import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import type { Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { WebSocketGateway } from '@nestjs/websockets';
import { ChannelsModule } from 'nestjs-channels';
import { createChannelsTestApp } from 'nestjs-channels/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../support/free-port.js';
import { startApp } from '../support/start-app.js';

/** Listens until the test ends. Rejects where the port is taken; `0` takes a free one. */
async function listen(port: number): Promise<Server> {
  const server = createServer().listen(port, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return server;
}

function ownPortGateway(port: number): Type {
  @WebSocketGateway(port, { host: '127.0.0.1' })
  class OwnPortGateway {}

  return OwnPortGateway;
}

describe('A gateway with a port of its own', () => {
  it('closes its clients with 1012 and releases its port when the application closes', async () => {
    const port = await freePort();
    const app = await startApp({ providers: [ownPortGateway(port)] });
    const client = await app.connectTo(`ws://127.0.0.1:${port}/`);

    await app.nest.close();

    expect((await client.closed).code).toBe(1_012);
    await expect(listen(port)).resolves.toBeDefined();
  });

  it('holds its port until then', async () => {
    const port = await freePort();
    await startApp({ providers: [ownPortGateway(port)] });

    await expect(listen(port)).rejects.toThrow('EADDRINUSE');
  });

  it('releases its port where the application has been initialised and never listened', async () => {
    const port = await freePort();
    const module = await Test.createTestingModule({
      imports: [ChannelsModule.forRoot({})],
      providers: [ownPortGateway(port)],
    }).compile();
    const nest = module.createNestApplication({ logger: false });
    await nest.init();

    await nest.close();

    await expect(listen(port)).resolves.toBeDefined();
  });

  it('refuses the start where its port is taken, and holds no other port', async () => {
    const taken = (await listen(0)).address() as AddressInfo;
    const port = await freePort();

    const start = createChannelsTestApp({
      providers: [ownPortGateway(taken.port), ownPortGateway(port)],
      configure: (nest) => nest.useLogger(false),
    });

    await expect(start).rejects.toThrow('EADDRINUSE');
    await expect(listen(port)).resolves.toBeDefined();
  });
});

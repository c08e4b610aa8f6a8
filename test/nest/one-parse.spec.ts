import type { Server } from 'node:http';
import type { Type } from '@nestjs/common';
import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import type { TestClient } from 'nestjs-channels/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { startApp } from '../support/start-app.js';

interface Emitter {
  listenerCount(event: string): number;
}

/** A gateway of its own class, as an application has them; each handles `echo` and one event of its own. */
function gateway(name: string, path: string): Type {
  @WebSocketGateway({ path })
  class Gateway {
    @SubscribeMessage('echo')
    echo(@MessageBody() data: unknown): unknown {
      return { event: name, data };
    }

    @SubscribeMessage(`listeners ${name}`)
    listeners(@ConnectedSocket() socket: Emitter): number {
      return socket.listenerCount('message');
    }
  }
  return Gateway;
}

function gateways(count: number, path: (at: number) => string = () => '/ws'): Type[] {
  return Array.from({ length: count }, (_, at) => gateway(`gateway ${at}`, path(at)));
}

/** How often `text` is parsed until the client has got `replies` replies to it. */
async function countParses(client: TestClient, text: string, replies: number): Promise<number> {
  const parse = vi.spyOn(JSON, 'parse');
  onTestFinished(() => parse.mockRestore());
  client.sendRaw(text);
  for (let reply = 0; reply < replies; reply++) await client.next();
  return parse.mock.calls.filter(([parsed]) => parsed === text).length;
}

describe.each([1, 2, 5])('%i gateways on one path', (count) => {
  it('parse a message once', async () => {
    const app = await startApp({ providers: gateways(count) });
    const client = await app.connect('/ws', { protocols: [] });

    const parses = await countParses(client, '{"event":"echo","data":"a message to all of them"}', count);

    expect(parses).toBe(1);
    expect(client.frames).toHaveLength(count);
  });

  it('listen to the messages of a client once', async () => {
    const app = await startApp({ providers: gateways(count) });
    const client = await app.connect('/ws');

    expect((await client.request(`listeners gateway ${count - 1}`)).data).toBe(1);
  });

  it('listen to the upgrades of the HTTP server once', async () => {
    const app = await startApp({ providers: gateways(count) });

    expect((app.nest.getHttpServer() as Server).listenerCount('upgrade')).toBe(1);
  });
});

describe('gateways on several paths', () => {
  it('listen to the upgrades of the HTTP server once', async () => {
    const app = await startApp({ providers: gateways(3, (at) => `/ws/${at}`) });

    expect((app.nest.getHttpServer() as Server).listenerCount('upgrade')).toBe(1);
    expect(await (await app.connect('/ws/2')).request('echo', 1)).toMatchObject({ data: 1 });
  });
});

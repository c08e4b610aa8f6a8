import { setImmediate as nextTurn } from 'node:timers/promises';
import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import type { ChannelsModuleOptions, ChannelSocket } from 'nestjs-channels';
import type { ChannelsTestApp, TestClient } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { clientFrame, RawSocket, upgradeRequest } from '../support/raw-socket.js';
import { RecordingObserver } from '../support/recording-observer.js';
import { startApp } from '../support/start-app.js';

const MAX_OUTBOX_BYTES = 10_000;

/** More than the kernel's buffers on both sides of a connection take. */
const FLOOD = 2_000;
const CHUNK = 'x'.repeat(65_536);

/** A client of the stock adapter's kind. */
type StockSocket = ChannelSocket & { send(text: string): void };

/** Lets a test decide what a handler sends. */
class Script {
  run: (client: StockSocket) => unknown = () => undefined;
}

@WebSocketGateway({ path: '/ws' })
class ScriptedGateway {
  constructor(private readonly script: Script) {}

  @SubscribeMessage('run')
  run(@ConnectedSocket() client: StockSocket): unknown {
    return this.script.run(client);
  }

  @SubscribeMessage('echo')
  echo(@MessageBody() data: unknown): unknown {
    return data;
  }
}

interface Rig {
  readonly app: ChannelsTestApp;
  readonly client: TestClient;
  readonly script: Script;
  readonly observer: RecordingObserver;
}

async function start(channels: ChannelsModuleOptions = { maxOutboxBytes: MAX_OUTBOX_BYTES }): Promise<Rig> {
  const script = new Script();
  const observer = new RecordingObserver();
  const app = await startApp({
    providers: [ScriptedGateway, { provide: Script, useValue: script }],
    channels: { ...channels, observers: [observer] },
  });
  return { app, script, observer, client: await app.connect('/ws') };
}

/** The text with which `{ event: 'fill', data }` has exactly that many bytes. */
function fill(bytes: number): string {
  return 'x'.repeat(bytes - '{"event":"fill","data":""}'.length);
}

describe('a client that does not read', () => {
  it.each<[string, (client: StockSocket) => void]>([
    ['push', (client) => client.push('flood', CHUNK)],
    ['send, as in the stock adapter', (client) => client.send(JSON.stringify(CHUNK))],
  ])('is terminated with 4413 when more waits than maxOutboxBytes: %s', async (_, send) => {
    const { app, client, script, observer } = await start();
    const bystander = await app.connect('/ws');
    script.run = async (socket) => {
      for (let sent = 0; sent < FLOOD && observer.closes.length === 0; sent++) {
        send(socket);
        await nextTurn();
      }
    };

    client.pause();
    client.send({ event: 'run' });
    await observer.until(({ closes }) => closes.length > 0);
    client.resume();

    expect(observer.closes).toEqual([{ code: 4413, reason: expect.any(String) }]);
    expect((await client.closed).code).toBe(1006);
    expect(await bystander.request('echo', 1)).toMatchObject({ data: 1 });
  });

  it('gets everything when it reads again in time', async () => {
    const { client, script, observer } = await start({ maxOutboxBytes: 1_048_576 });
    script.run = async (socket) => {
      for (let sent = 0; sent < 15; sent++) {
        socket.push('flood', CHUNK);
        await nextTurn();
      }
    };

    client.pause();
    client.send({ event: 'run', id: 1 });
    await observer.until(({ acks }) => acks.length > 0);
    client.resume();
    await client.waitFor({ ack: 1 });

    expect(client.frames).toHaveLength(16);
    expect(observer.closes).toEqual([]);
  });
});

describe('what is sent in one turn', () => {
  it.each([
    ['lives at the limit', 0],
    ['lives below it', -1],
  ])('%s', async (_, more) => {
    const { client, script, observer } = await start();
    script.run = (socket) => {
      socket.push('fill', fill(4_000));
      socket.push('fill', fill(MAX_OUTBOX_BYTES - 4_000 + more));
    };

    client.send({ event: 'run' });
    await client.waitFor({ event: 'fill' });
    await client.waitFor({ event: 'fill' });

    expect(await client.request('echo', 1)).toMatchObject({ data: 1 });
    expect(observer.closes).toEqual([]);
  });

  it('ends with 4413 one byte over the limit', async () => {
    const { client, script, observer } = await start();
    script.run = (socket) => {
      socket.push('fill', fill(4_000));
      socket.push('fill', fill(MAX_OUTBOX_BYTES - 4_000 + 1));
    };

    client.send({ event: 'run' });
    const { code } = await client.closed;

    expect(code).toBe(1006);
    expect(observer.closes).toEqual([{ code: 4413, reason: expect.any(String) }]);
    expect(client.frames).toEqual([]);
  });

  it('may be a message of any size while nothing waits', async () => {
    const { client, script, observer } = await start();
    const large = 'x'.repeat(MAX_OUTBOX_BYTES * 10);
    script.run = (socket) => socket.push('large', large);

    client.send({ event: 'run' });

    expect(await client.next()).toEqual({ event: 'large', data: large });
    expect(observer.closes).toEqual([]);
  });

  it('is counted in bytes of UTF-8', async () => {
    const { client, script, observer } = await start();
    script.run = (socket) => {
      socket.push('fill', fill(4_000));
      socket.push('fill', 'ü'.repeat(MAX_OUTBOX_BYTES / 2));
    };

    client.send({ event: 'run' });
    await client.closed;

    expect(observer.closes).toMatchObject([{ code: 4413 }]);
  });
});

describe('the order of what is sent', () => {
  it.each([
    ['plain', {}],
    ['compressed', { server: { perMessageDeflate: { threshold: 0 } } }],
  ])('is kept between push, send and the answer: %s', async (_, options) => {
    const { client, script } = await start(options);
    script.run = async (socket) => {
      socket.push('a', 1);
      socket.send('"b"');
      socket.push('c', 3);
      socket.push('d', 4);
      await nextTurn();
      socket.send('"e"');
      socket.send('"f"');
      socket.push('g', 7);
      return 'h';
    };

    client.send({ event: 'run', id: 1 });
    await client.waitFor({ ack: 1 });

    expect(client.frames).toEqual([
      { event: 'a', data: 1 },
      'b',
      { event: 'c', data: 3 },
      { event: 'd', data: 4 },
      'e',
      'f',
      { event: 'g', data: 7 },
      { ack: 1, data: 'h' },
    ]);
  });

  it('is kept up to a close, after which nothing is sent', async () => {
    const { client, script } = await start();
    script.run = (socket) => {
      socket.push('last words', 1);
      socket.close(4000, 'enough');
      socket.push('too late', 2);
      socket.send('"too late"');
      return 'too late';
    };

    client.send({ event: 'run', id: 1 });

    expect(await client.closed).toEqual({ code: 4000, reason: 'enough' });
    expect(client.frames).toEqual([{ event: 'last words', data: 1 }]);
  });

  it('handles nothing that has come behind a close', async () => {
    const { app, script, observer } = await start();
    const socket = await RawSocket.connect(app.port);
    script.run = (client) => client.close(4000);

    const messages = ['run', 'echo', 'echo'].map((event) =>
      clientFrame(JSON.stringify({ event, id: event })),
    );
    socket.write(upgradeRequest('/ws'), ...messages);
    await socket.until(() => socket.closeCode !== undefined);

    expect(socket.closeCode).toBe(4000);
    expect(socket.messages).toEqual([]);
    expect(observer.acks).not.toContain('echo done');
  });
});

import { fileURLToPath } from 'node:url';
import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { SubscribeChannel } from 'nestjs-channels';
import type { ChannelsTestApp } from 'nestjs-channels/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startApp } from '../support/start-app.js';

const LIB = fileURLToPath(new URL('../../lib/', import.meta.url));
const FRAME = /\((?<file>\/[^():]+):\d+:\d+\)|at (?<bare>\/[^():]+):\d+:\d+/g;

const TRANSPORT = 'transport/ws/ws-channel-socket.ts';
const CONNECTION = 'core/connection.ts';
const DISPATCHER = 'core/dispatcher.ts';
const OUTBOX = 'core/outbox.ts';
/** The compiled Nest pipeline is one hop: the engine's handler, and Nest's enhancers around the method. */
const PIPELINE = ['nest/message-pipeline.ts', 'nest/method-pipeline.ts'];

/** The files of `lib/` that have called the caller, the outermost first, each once. */
function hopsToHere(): string[] {
  const frames = [...(new Error().stack ?? '').matchAll(FRAME)];
  const files = frames.map(({ groups }) => groups?.['file'] ?? groups?.['bare'] ?? '');
  const own = files.filter((file) => file.startsWith(LIB)).map((file) => file.slice(LIB.length));
  return [...new Set(own.toReversed())];
}

class Trace {
  handled: string[] = [];
  readonly sent: string[][] = [];

  /** Notes who asks how much waits for a client: the outbox does so for each frame that it takes. */
  watch(socket: object): void {
    Object.defineProperty(socket, 'bufferedAmount', {
      get: () => {
        this.sent.push(hopsToHere());
        return 0;
      },
    });
  }
}

@WebSocketGateway({ path: '/ws' })
class TracedGateway {
  constructor(private readonly trace: Trace) {}

  @SubscribeMessage('echo')
  echo(@MessageBody() data: unknown, @ConnectedSocket() socket: object): unknown {
    this.trace.handled = hopsToHere();
    this.trace.watch(socket);
    return data;
  }

  @SubscribeMessage('watch')
  watch(@ConnectedSocket() socket: object): void {
    this.trace.watch(socket);
  }

  @SubscribeChannel('news')
  join(): void {}
}

async function start(): Promise<{ app: ChannelsTestApp; trace: Trace }> {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 100;
  onTestFinished(() => void (Error.stackTraceLimit = stackTraceLimit));
  const trace = new Trace();
  const app = await startApp({ providers: [TracedGateway, { provide: Trace, useValue: trace }] });
  return { app, trace };
}

describe('a message in', () => {
  it('takes four hops to its handler, each in its own file, and a fifth with its ack', async () => {
    const { app, trace } = await start();
    const client = await app.connect('/ws');

    await client.request('echo', 1);

    expect(trace.handled).toEqual([TRANSPORT, CONNECTION, DISPATCHER, ...PIPELINE]);
    expect(trace.sent).toEqual([[TRANSPORT, CONNECTION, DISPATCHER, OUTBOX]]);
  });
});

describe('a publication out', () => {
  it('takes five hops, each in its own file', async () => {
    const { app, trace } = await start();
    const client = await app.connect('/ws');
    await client.subscribe('news');
    await client.request('watch');
    trace.sent.length = 0;

    await app.channels.publish('news', 'headline', 1);
    await client.waitFor({ channel: 'news' });

    expect(trace.sent).toEqual([
      ['nest/channels.service.ts', 'core/publisher.ts', 'core/memory-broker.ts', 'core/hub.ts', OUTBOX],
    ]);
  });

  it('takes them once for each subscriber, and no more with the number of channels', async () => {
    const { app, trace } = await start();
    const clients = await Promise.all([app.connect('/ws'), app.connect('/ws'), app.connect('/ws')]);
    for (const client of clients) {
      await client.subscribe('news');
      await client.request('watch');
    }
    trace.sent.length = 0;

    await app.channels.publish('news', 'headline', 1);
    await Promise.all(clients.map((client) => client.waitFor({ channel: 'news' })));

    expect(trace.sent.map((hops) => hops.length)).toEqual([5, 5, 5]);
  });
});

import { WebSocketGateway, type OnGatewayConnection } from '@nestjs/websockets';
import { ChannelSocket, defineChannel, SubscribeChannel } from 'nestjs-channels';
import type { ChannelsTestApp } from 'nestjs-channels/testing';
import { expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { startApp } from '../support/start-app.js';

const SIZE = 100;
const BYTES = 256 * 1024;
const MAX_OUTBOX_BYTES = 1024 * 1024;
const TEXT = 'x'.repeat(BYTES);

const bulk = defineChannel('bulk', {
  history: { size: SIZE },
  joinBufferBytes: MAX_OUTBOX_BYTES,
});

@WebSocketGateway({ path: '/ws' })
class BulkGateway implements OnGatewayConnection<ChannelSocket> {
  /** As the package `ws` knows them. */
  readonly sockets: WebSocket[] = [];

  handleConnection(socket: ChannelSocket): void {
    this.sockets.push(socket as unknown as WebSocket);
  }

  @SubscribeChannel(bulk)
  join(): void {}
}

const POLL = { timeout: 10_000, interval: 10 };

/** A client that reads nothing between `pause()` and `resume()`; its kernel takes some megabytes for it. */
async function openSlow(url: string): Promise<{ socket: WebSocket; offsets: unknown[] }> {
  const socket = new WebSocket(url, ['nestjs-channels.v1.json']);
  onTestFinished(() => socket.terminate());
  const offsets: unknown[] = [];
  socket.on('message', (message: Buffer) => {
    const { offset } = JSON.parse(String(message)) as { offset?: number };
    if (offset !== undefined) offsets.push(offset);
  });
  await new Promise((resolve) => socket.once('open', resolve));
  return { socket, offsets };
}

it('a replay of 25 MiB waits for its reader: it neither overflows the outbox nor starves others', async () => {
  const app = await startApp({
    providers: [BulkGateway],
    channels: { maxOutboxBytes: MAX_OUTBOX_BYTES, maxMessageBytes: 2 * BYTES },
  });
  const since = { epoch: await epochOf(app), offset: 0 };
  for (let at = 0; at < SIZE; at++) await app.channels.publish('bulk', 'said', TEXT);
  const { socket, offsets } = await openSlow(app.url('/ws'));

  const server = await pausedBehind(app, socket, since);
  const other = await app.connect('/ws');
  await other.subscribe('bulk', { since });
  await app.channels.publish('bulk', 'said', 'live');
  await other.waitFor({ offset: SIZE + 1 });

  expect(server.readyState).toBe(WebSocket.OPEN);
  expect(server.bufferedAmount).toBeLessThanOrEqual(MAX_OUTBOX_BYTES / 2 + 2 * BYTES);
  expect(offsets).toEqual([]);

  socket.resume();
  await expect.poll(() => offsets.length, POLL).toBeGreaterThan(SIZE);
  expect(offsets).toEqual(Array.from({ length: SIZE + 1 }, (_, at) => at + 1));
});

it('counts what it is about to send: publications larger than half of the outbox go one by one', async () => {
  const app = await startApp({
    providers: [BulkGateway],
    channels: { maxOutboxBytes: MAX_OUTBOX_BYTES, maxMessageBytes: MAX_OUTBOX_BYTES },
  });
  const epoch = await epochOf(app);
  const sizes = Array.from({ length: 40 }, (_, at) => (at % 2 === 0 ? 400 : 700) * 1024);
  for (const size of sizes) await app.channels.publish('bulk', 'said', 'x'.repeat(size));

  const { socket, offsets } = await openSlow(app.url('/ws'));
  const server = await pausedBehind(app, socket, { epoch, offset: 0 });
  socket.resume();
  await expect.poll(() => offsets.length, POLL).toBe(sizes.length);

  expect(server.readyState).toBe(WebSocket.OPEN);
  expect(offsets).toEqual(sizes.map((_, at) => at + 1));
});

it('sends what came during a replay at the pace of its reader as well', async () => {
  const app = await startApp({
    providers: [BulkGateway],
    channels: { maxOutboxBytes: MAX_OUTBOX_BYTES, maxMessageBytes: 2 * BYTES },
  });
  const epoch = await epochOf(app);
  for (let at = 0; at < SIZE - 9; at++) await app.channels.publish('bulk', 'said', TEXT);

  const { socket, offsets } = await openSlow(app.url('/ws'));
  const server = await pausedBehind(app, socket, { epoch, offset: 0 });
  for (let at = 0; at < 9; at++) await app.channels.publish('bulk', 'said', 'x'.repeat(100 * 1024));
  socket.resume();
  await expect.poll(() => offsets.length, POLL).toBe(SIZE);

  expect(server.readyState).toBe(WebSocket.OPEN);
  expect(offsets).toEqual(Array.from({ length: SIZE }, (_, at) => at + 1));
});

/** Where the channel begins. */
async function epochOf(app: ChannelsTestApp): Promise<string> {
  const first = await app.connect('/ws');
  const { data } = await first.subscribe('bulk');
  await first.close();
  return (data as { epoch: string }).epoch;
}

/** The server's end of a connection that reads nothing, when a replay waits for it. */
async function pausedBehind(app: ChannelsTestApp, socket: WebSocket, since: object): Promise<WebSocket> {
  socket.send(JSON.stringify({ event: '$subscribe', id: 1, data: { channel: 'bulk', since } }));
  socket.pause();
  const server = app.nest.get(BulkGateway).sockets.at(-1) as WebSocket;
  await expect.poll(() => server.bufferedAmount, POLL).toBeGreaterThan(0);
  return server;
}

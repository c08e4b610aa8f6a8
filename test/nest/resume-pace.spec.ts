import { WebSocketGateway, type OnGatewayConnection } from '@nestjs/websockets';
import { ChannelSocket, defineChannel, SubscribeChannel } from 'nestjs-channels';
import { expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { startApp } from '../support/start-app.js';

const SIZE = 100;
const BYTES = 256 * 1024;
const MAX_OUTBOX_BYTES = 1024 * 1024;
const TEXT = 'x'.repeat(BYTES);

const bulk = defineChannel('bulk', { history: { size: SIZE } });

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
  const first = await app.connect('/ws');
  const { data } = await first.subscribe('bulk');
  const { epoch } = data as { epoch: string };
  await first.close();
  for (let at = 0; at < SIZE; at++) await app.channels.publish('bulk', 'said', TEXT);
  const { socket, offsets } = await openSlow(app.url('/ws'));
  const { sockets } = app.nest.get(BulkGateway);
  const since = { epoch, offset: 0 };

  socket.send(JSON.stringify({ event: '$subscribe', id: 1, data: { channel: 'bulk', since } }));
  socket.pause();
  const server = sockets.at(-1) as WebSocket;
  await expect.poll(() => server.bufferedAmount, POLL).toBeGreaterThan(0);
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

import { connect } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { WebSocketGateway } from '@nestjs/websockets';
import { defineChannel, SubscribeChannel, type ChannelsModuleOptions } from 'nestjs-channels';
import type { ChannelsTestApp, TestClient } from 'nestjs-channels/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Engine } from '../../lib/core/engine.js';
import { PONG_BYTES } from '../../lib/core/outbox.js';
import { clientFrame, Opcode, upgradeRequest } from '../support/raw-socket.js';
import { RecordingObserver } from '../support/recording-observer.js';
import { startApp } from '../support/start-app.js';

const MAX_OUTBOX_BYTES = 1_048_576;

/** More than the buffers of the kernel and the outbox take: 20 MB. */
const MESSAGES = 400;
const TEXT = 'x'.repeat(50_000);

/** So many turns, and no transport takes anything any more. */
const STUCK_TURNS = 50;
const POLL = { timeout: 10_000, interval: 10 };
const PATIENT = { timeoutMs: 15_000 };

@WebSocketGateway({ path: '/ws' })
class FeedGateway {
  @SubscribeChannel(defineChannel('disconnect'))
  join() {}

  @SubscribeChannel(defineChannel('drop-oldest', { overflow: 'drop-oldest' }))
  joinOldest() {}

  @SubscribeChannel(defineChannel('latest', { overflow: 'latest', history: true }))
  joinLatest() {}
}

interface Item {
  readonly data: { readonly number: number };
  readonly dropped?: number;
}

interface Rig {
  readonly app: ChannelsTestApp;
  readonly engine: Engine;
  readonly observer: RecordingObserver;
}

async function start(channels: ChannelsModuleOptions = {}): Promise<Rig> {
  const observer = new RecordingObserver();
  const app = await startApp({ providers: [FeedGateway], channels: { observers: [observer], ...channels } });
  return { app, engine: app.nest.get(Engine, { strict: false }), observer };
}

/** Publishes everything, a turn each, while `slow` reads nothing. The most that waited for anybody. */
async function flood({ app, engine }: Rig, channel: string, slow: TestClient): Promise<number> {
  let most = 0;
  slow.pause();
  for (let number = 1; number <= MESSAGES; number++) {
    await app.channels.publish(channel, 'item', { number, text: TEXT });
    await nextTurn();
    most = Math.max(most, engine.sizes()['outboxBytes'] ?? 0);
  }
  return most;
}

function itemsOf(client: TestClient): readonly Item[] {
  return client.frames.filter((frame) => (frame as { event?: string }).event === 'item') as Item[];
}

describe('a reader that does not read', () => {
  it.each(['drop-oldest', 'latest'])(
    'stays with %s, and has the last value when it reads',
    async (channel) => {
      const rig = await start();
      const slow = await rig.app.connect('/ws', PATIENT);
      await slow.subscribe(channel);

      const most = await flood(rig, channel, slow);
      slow.resume();
      await slow.waitFor({ data: { number: MESSAGES } });

      expect(rig.observer.closes).toEqual([]);
      expect(most).toBeLessThanOrEqual(MAX_OUTBOX_BYTES);
      let last = 0;
      let lost = 0;
      for (const { data, dropped = 0 } of itemsOf(slow)) {
        expect(data.number - dropped).toBe(last + 1);
        last = data.number;
        lost += dropped;
      }
      expect(last).toBe(MESSAGES);
      expect(lost).toBeGreaterThan(0);
    },
  );

  it('does not stay without the option', async () => {
    const rig = await start();
    const slow = await rig.app.connect('/ws', PATIENT);
    await slow.subscribe('disconnect');

    await flood(rig, 'disconnect', slow);

    expect(rig.observer.closes).toMatchObject([{ code: 4413 }]);
  });

  it('holds nobody else up', async () => {
    const rig = await start();
    const [slow, other] = [await rig.app.connect('/ws', PATIENT), await rig.app.connect('/ws', PATIENT)];
    await slow.subscribe('latest');
    await other.subscribe('latest');

    await flood(rig, 'latest', slow);
    await other.waitFor({ data: { number: MESSAGES } });

    expect(itemsOf(other).length).toBeGreaterThan(itemsOf(slow).length);
    expect(itemsOf(other).at(-1)?.data.number).toBe(MESSAGES);
  });
});

it('ends a peer that does not read and pings more than its outbox has room for', async () => {
  // By default there is a rate for pings, too.
  const { app, engine, observer } = await start({ messagesPerSecond: 0 });
  const socket = connect({ port: app.port, host: '127.0.0.1' });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  socket.write(upgradeRequest('/ws'));
  socket.write(clientFrame(JSON.stringify({ event: '$subscribe', id: 1, data: { channel: 'latest' } })));
  await expect.poll(() => engine.sizes()['channels'], POLL).toBe(1);
  // What was written before waits for good when the newest waits behind it for a while.
  for (let waited = 0; waited < STUCK_TURNS; waited = engine.drainQueue.size === 1 ? waited + 1 : 0) {
    await app.channels.publish('latest', 'item', { number: 1, text: TEXT });
    await nextTurn();
  }

  const ping = clientFrame('', { opcode: Opcode.Ping });
  for (let sent = 0; sent < MAX_OUTBOX_BYTES / PONG_BYTES; sent++) socket.write(ping);
  socket.write(clientFrame('ping'));
  await observer.until(({ faults }) => faults.includes('keep_alive'));
  const atLimit = observer.closes.length;
  socket.write(ping);
  await observer.until(({ closes }) => closes.length > 0);

  expect(atLimit).toBe(0);
  expect(observer.closes).toMatchObject([{ code: 4413 }]);
});

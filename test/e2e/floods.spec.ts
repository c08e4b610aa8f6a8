import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { Acked, SubscribeChannel, UseHandshakeGuards, type ChannelsModuleOptions } from 'nestjs-channels';
import type { ChannelsTestApp, TestClient } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { LagMeter } from '../support/lag-meter.js';
import { clientFrame, Opcode, RawSocket, upgradeRequest } from '../support/raw-socket.js';
import { RecordingObserver } from '../support/recording-observer.js';
import { startApp } from '../support/start-app.js';

/** What a flood may take to be closed, the second included in which it may read why. */
const CLOSED_MS = 2_000;

/** The flood and the server share this process: what the others wait for is bounded widely. The bench has figures. */
const SERVED_MS = 2_000;

const OFF = { messagesPerSecond: 0, bytesPerSecond: 0, subscriptionsPerSecond: 0 };

@WebSocketGateway({ path: '/ws' })
@UseHandshakeGuards()
class FloodedGateway {
  @SubscribeMessage('echo')
  echo(@MessageBody() data: unknown): unknown {
    return data;
  }

  @SubscribeMessage('acked')
  @Acked()
  acked(): void {}

  @SubscribeChannel('room:{id}')
  join(): void {}
}

interface World {
  readonly app: ChannelsTestApp;
  readonly observer: RecordingObserver;
  readonly flood: RawSocket;
}

async function start(channels: ChannelsModuleOptions = {}): Promise<World> {
  const observer = new RecordingObserver();
  const app = await startApp({
    providers: [FloodedGateway],
    channels: { observers: [observer], ...channels },
  });
  const flood = await RawSocket.connect(app.port);
  flood.write(upgradeRequest('/ws', { 'Sec-WebSocket-Protocol': 'nestjs-channels.v1.json' }));
  await flood.until(() => flood.response.head.includes('101'));
  return { app, observer, flood };
}

/** Asks again and again until the flood is over; gives the longest wait for an answer. */
async function useMeanwhile(client: TestClient, isOver: () => boolean): Promise<number> {
  let longestMs = 0;
  while (!isOver()) {
    const began = performance.now();
    expect(await client.request('echo', 1)).toMatchObject({ data: 1 });
    longestMs = Math.max(longestMs, performance.now() - began);
    // A client that behaves.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return longestMs;
}

const text = (frame: object): Buffer => clientFrame(JSON.stringify(frame));
const many = (frame: Buffer): Buffer =>
  Buffer.concat(Array.from({ length: Math.max(1, Math.floor(65_536 / frame.length)) }, () => frame));

/** All rates are off but this one, which has its default. */
function onlyBy(rate: string): ChannelsModuleOptions {
  return Object.fromEntries(Object.entries(OFF).filter(([name]) => name !== rate));
}

describe('A client that writes as fast as it can', () => {
  it.each([
    ['messages', text({ event: 'echo', data: 1 })],
    ['messages to an acked handler', text({ event: 'acked', data: 1 })],
    ['messages with an id to an acked handler', text({ event: 'acked', id: 'same', data: 1 })],
    ['pings', clientFrame('', { opcode: Opcode.Ping })],
    ['pongs', clientFrame('', { opcode: Opcode.Pong })],
    ['$ping frames', text({ event: '$ping' })],
    // By the rates that are theirs: that of the messages would close these as well.
    ['joins', text({ event: '$subscribe', id: 1, data: { channel: 'room:1' } }), 'subscriptionsPerSecond'],
    ['long messages', text({ event: '$pong', data: 'x'.repeat(60_000) }), 'bytesPerSecond'],
    ['keep-alives', clientFrame('ping')],
  ])(
    'is closed with 4429 within 2 s while others are served: %s',
    async (_, frame, rate = 'messagesPerSecond') => {
      const { app, observer, flood } = await start(onlyBy(rate));
      const others = await Promise.all(Array.from({ length: 10 }, () => app.connect('/ws')));
      const lag = new LagMeter();
      const began = performance.now();
      let isOver = false;

      const served = Promise.all(others.map((client) => useMeanwhile(client, () => isOver)));
      await flood.flood(many(frame));
      await observer.until(({ closes }) => closes.length > 0);
      const tookMs = performance.now() - began;
      isOver = true;

      expect(Math.max(...(await served))).toBeLessThan(SERVED_MS + lag.lostMs);
      expect(tookMs).toBeLessThan(CLOSED_MS + lag.lostMs);
      expect(observer.closes[0]?.code).toBe(4_429);
      expect(JSON.parse(observer.closes[0]?.reason ?? '')).toEqual({ retryAfterMs: expect.any(Number) });
      for (const client of others) expect(await client.request('echo', 2)).toMatchObject({ data: 2 });
    },
  );

  it('is closed for bad frames by their own limit, and ended when it goes on', async () => {
    const { observer, flood } = await start();
    const began = performance.now();

    await flood.flood(many(clientFrame('{')));
    await observer.until(({ closes }) => closes.length > 0);

    expect(performance.now() - began).toBeLessThan(CLOSED_MS);
    expect(observer.closes[0]?.code).toBe(4_500);
  });

  it('goes on where the rates are off', async () => {
    const { observer, flood } = await start(OFF);
    const flooding = flood.flood(many(text({ event: '$pong' })));

    await new Promise((resolve) => setTimeout(resolve, CLOSED_MS));
    const closes = [...observer.closes];
    flood.destroy();
    await flooding;

    expect(closes).toEqual([]);
  });
});

describe('A client of ours', () => {
  it('reads the code and when to come back', async () => {
    const { app } = await start({ messageBurst: 200 });
    const client = await app.connect('/ws');

    for (let at = 0; at < 1_000; at += 1) client.send({ event: 'echo', data: at });

    const { code, reason } = await client.closed;
    expect([code, JSON.parse(reason)]).toEqual([4_429, { retryAfterMs: expect.any(Number) }]);
  });
});

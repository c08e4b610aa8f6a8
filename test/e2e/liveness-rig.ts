import { EventEmitter, once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import {
  SubscribeChannel,
  UnsubscribeChannel,
  type ChannelsModuleOptions,
  type Observer,
} from 'nestjs-channels';
import type { ChannelsTestApp, TestClock } from 'nestjs-channels/testing';
import { WebSocket } from 'ws';
import { startApp } from '../support/start-app.js';

/** Short enough for a test, with the proportions of the defaults. */
export const TIMES = { heartbeatIntervalMs: 400, heartbeatTimeoutMs: 800 } as const;

/** The sweep looks at the shortest time ten times: docs/protocol.md, section 7. */
export const TICK_MS = 40;

export const CHANNEL = 'pulse:one';

/** Tells when it has heard something. */
@WebSocketGateway({ path: '/ws' })
export class PulseGateway {
  /** When the last message was read, by the monotonic clock. */
  heardAt = 0;
  readonly left: string[] = [];
  readonly #events = new EventEmitter();

  @SubscribeMessage('pulse')
  pulse(): Record<string, never> {
    this.heardAt = performance.now();
    this.#events.emit('pulse');
    return {};
  }

  @SubscribeChannel('pulse:{name}')
  join(): void {}

  @UnsubscribeChannel('pulse:{name}')
  leave(@MessageBody('reason') reason: string): void {
    this.left.push(reason);
  }

  /** Resolves when the next message has been read. */
  async next(): Promise<void> {
    await once(this.#events, 'pulse');
  }

  /** Resolves when a message has been read after `say` was called. */
  async hears(say: () => void): Promise<void> {
    const next = this.next();
    say();
    await next;
  }
}

/** How and when connections ended, by the monotonic clock. */
export class Endings implements Observer {
  readonly all: { readonly code: number; readonly at: number }[] = [];
  readonly #events = new EventEmitter();

  closed(_connection: unknown, code: number): void {
    this.all.push({ code, at: performance.now() });
    this.#events.emit('closed');
  }

  get codes(): number[] {
    return this.all.map(({ code }) => code);
  }

  async first(): Promise<{ readonly code: number; readonly at: number }> {
    if (this.all.length === 0) await once(this.#events, 'closed');
    return this.all[0] as { readonly code: number; readonly at: number };
  }
}

export interface Liveness {
  readonly app: ChannelsTestApp;
  readonly gateway: PulseGateway;
  readonly endings: Endings;
}

export async function startLiveness(channels: ChannelsModuleOptions, clock?: TestClock): Promise<Liveness> {
  const endings = new Endings();
  const app = await startApp({
    providers: [PulseGateway],
    channels: { ...channels, observers: [endings] },
    clock,
  });
  return { app, gateway: app.nest.get(PulseGateway), endings };
}

/** Resolves when the peer has received this many protocol pings, one after the other. */
export async function receivePings(peer: WebSocket, count: number): Promise<void> {
  for (let received = 0; received < count; received += 1) await once(peer, 'ping');
}

/** A client of `ws` itself: answers protocol pings, and says nothing unless told. */
export async function connectPeer(url: string): Promise<WebSocket> {
  const peer = new WebSocket(url, 'nestjs-channels.v1.json');
  peer.on('error', () => undefined);
  await once(peer, 'open');
  return peer;
}

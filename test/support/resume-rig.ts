import { Injectable, UseGuards, type CanActivate } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import { ChannelName, ChannelsService, defineChannel, SubscribeChannel, type Broker } from 'nestjs-channels';
import { ChannelsClient } from 'nestjs-channels/client';
import type { ChannelsTestApp, FaultProxy } from 'nestjs-channels/testing';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { FAST_RETRY } from './client-rig.js';
import { Signal } from './client-signal.js';
import { startApp } from './start-app.js';

export const HISTORY_SIZE = 100;
export const CHANNEL = 'news:a';

const news = defineChannel('news:{topic}', { history: { size: HISTORY_SIZE, ttlMs: 60_000 } });

/** Whether anybody may join, and how often that was asked. */
@Injectable()
export class Door {
  isOpen = true;
  asked = 0;
  joins = 0;
}

@Injectable()
class DoorGuard implements CanActivate {
  constructor(private readonly door: Door) {}

  canActivate(): boolean {
    this.door.asked += 1;
    return this.door.isOpen;
  }
}

/** Its state is the last value. */
@WebSocketGateway({ path: '/ws' })
class NewsGateway {
  constructor(
    private readonly channels: ChannelsService,
    private readonly door: Door,
  ) {}

  @SubscribeChannel(news)
  @UseGuards(DoorGuard)
  async join(@ChannelName() channel: string): Promise<unknown> {
    this.door.joins += 1;
    const { publications } = await this.channels.history(channel, { limit: 1, reverse: true });
    return publications[0]?.data;
  }
}

/** An application, and the line to it. */
export class NewsNode {
  #published = 0;

  private constructor(
    private readonly app: ChannelsTestApp,
    readonly line: FaultProxy,
  ) {}

  static async start(broker?: Broker): Promise<NewsNode> {
    const app = await startApp({ providers: [NewsGateway, Door], channels: { broker } });
    return new NewsNode(app, await app.proxy());
  }

  get door(): Door {
    return this.app.nest.get(Door);
  }

  /** Publishes 1, 2, 3 and so on. */
  async publish(count: number, first = this.#published + 1): Promise<void> {
    for (let at = first; at < first + count; at++) await this.app.channels.publish(CHANNEL, 'said', at);
    this.#published = first + count - 1;
  }
}

type Told = number | { readonly recovered: boolean; readonly state: unknown } | { readonly gap: string };

/** A real client in the channel, and all that it is told there, in order. */
export class NewsReader extends Signal {
  readonly told: Told[] = [];
  readonly errors: unknown[] = [];
  readonly client: ChannelsClient;

  private constructor(private node: NewsNode) {
    super();
    const url = (): string => this.node.line.url('/ws');
    // Whatever it was made for: where the reader is now.
    class NearestWebSocket extends WebSocket {
      constructor(_url: string, protocols?: string[]) {
        super(url(), protocols);
      }
    }
    this.client = new ChannelsClient('ws://nearest/ws', { WebSocket: NearestWebSocket, ...FAST_RETRY });
    onTestFinished(() => this.client.close());
    this.client.on('$state', () => this.tell());
    const channel = this.client.channel(CHANNEL);
    channel.on('said', (data) => this.#write(Number(data)));
    channel.on('$gap', ({ reason }) => this.#write({ gap: reason }));
    channel.on('$subscribed', ({ recovered, data }) => this.#write({ recovered, state: data }));
    channel.on('$error', ({ code }) => {
      this.errors.push(code);
      this.tell();
    });
  }

  /** Joined, and told so. */
  static async join(node: NewsNode): Promise<NewsReader> {
    const reader = new NewsReader(node);
    await reader.until(({ told }) => told.length > 0);
    return reader;
  }

  /** Loses its connection, and gets no other. */
  async leave(): Promise<void> {
    const { line } = this.node;
    line.refuse = true;
    line.reset();
    await this.until(({ client }) => client.state.name === 'waiting');
    this.told.length = 0;
  }

  comeBack(node = this.node): void {
    this.node = node;
    node.line.refuse = false;
  }

  /** Resolves when it has been told this. */
  hears(number: number): Promise<void> {
    return this.until(({ told }) => told.includes(number));
  }

  #write(told: Told): void {
    this.told.push(told);
    this.tell();
  }
}

export const numbers = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, at) => from + at);

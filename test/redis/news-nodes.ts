import { Injectable } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import {
  defineChannel,
  SubscribeChannel,
  type BrokerState,
  type Observer,
  type Position,
} from 'nestjs-channels';
import { RedisBroker, type RedisBrokerOptions } from 'nestjs-channels/redis';
import type { ChannelsTestApp, TestClient } from 'nestjs-channels/testing';
import { eventually } from '../support/redis/eventually.js';
import { startApp } from '../support/start-app.js';

const news = defineChannel('news:{topic}', { history: { size: 1_000, ttlMs: 600_000 } });

@Injectable()
@WebSocketGateway({ path: '/ws' })
class NewsGateway {
  @SubscribeChannel(news)
  join(): void {}

  @SubscribeChannel('live:{topic}')
  look(): void {}
}

/** One node, and how its broker felt. */
export interface NewsNode {
  readonly app: ChannelsTestApp;
  readonly broker: RedisBroker;
  readonly states: { readonly state: BrokerState; readonly at: number }[];
  readonly warnings: string[];
}

/** A node of an application whose publications go through Redis. */
export async function startNode(options: RedisBrokerOptions, channels: object = {}): Promise<NewsNode> {
  const broker = new RedisBroker(options);
  const states: NewsNode['states'] = [];
  const warnings: string[] = [];
  const observer: Observer = {
    brokerChanged: (state) => states.push({ state, at: performance.now() }),
    warned: (text) => warnings.push(text),
  };
  const app = await startApp({
    providers: [NewsGateway],
    channels: { broker, observers: [observer], ...channels },
  });
  return { app, broker, states, warnings };
}

interface Frame {
  readonly event?: string;
  readonly channel?: string;
  readonly offset?: number;
  readonly data?: Partial<Position> & { readonly channel?: string };
}

/** One subscriber, as it sees its channel. */
export class Reader {
  private constructor(
    private readonly client: TestClient,
    readonly channel: string,
    private readonly from: Position,
  ) {}

  static async join({ app }: NewsNode, channel: string): Promise<Reader> {
    const client = await app.connect('/ws');
    const { data, error } = await client.subscribe(channel);
    if (error) throw new Error(`${channel}: ${JSON.stringify(error)}`);
    return new Reader(client, channel, data as Position);
  }

  async leave(): Promise<void> {
    await this.client.close(1000);
  }

  /** What was told, in order: offsets, and where gaps lead. */
  get told(): readonly (number | Partial<Position>)[] {
    const frames = this.client.frames as readonly Frame[];
    return frames.flatMap<number | Partial<Position>>((frame) => {
      if (frame.channel === this.channel) return [frame.offset ?? -1];
      const isGap = frame.event === '$gap' && frame.data?.channel === this.channel;
      return isGap ? [{ epoch: frame.data?.epoch, offset: frame.data?.offset }] : [];
    });
  }

  get gaps(): number {
    return this.told.filter((one) => typeof one === 'object').length;
  }

  /** Where it stands now. @throws Error where something is missing that it was not told of */
  get position(): Position {
    let { epoch, offset } = this.from;
    for (const one of this.told) {
      if (typeof one === 'object') ({ epoch, offset } = one as Position);
      else if (one === offset + 1) offset = one;
      else throw new Error(`${this.channel}: ${one} follows ${offset}, and nobody said why`);
    }
    return { epoch, offset };
  }
}

/** Where a channel stands, as a node that has nothing to do with it sees it. */
export async function tailOf({ app }: NewsNode, channel: string): Promise<Position> {
  const { epoch, offset } = await app.channels.history(channel, { limit: 1, reverse: true });
  return { epoch, offset };
}

/** Resolves when all readers are at the tail of their channels; how long that took, in milliseconds. */
export async function converged(
  node: NewsNode,
  readers: readonly Reader[],
  timeoutMs = 15_000,
): Promise<number> {
  const start = performance.now();
  for (const reader of readers) {
    await eventually(
      `a reader of ${reader.channel} at ${JSON.stringify(reader.position)} reached the tail`,
      async () => {
        const { epoch, offset } = await tailOf(node, reader.channel);
        const now = reader.position;
        return now.epoch === epoch && now.offset === offset;
      },
      timeoutMs - (performance.now() - start),
    );
  }
  return performance.now() - start;
}

/** Publishes at a steady rate, and goes on over refusals, until it is stopped. */
export class Publisher {
  /** How many were accepted. */
  accepted = 0;
  /** How many were refused. */
  refused = 0;
  /** When the last one was sent that was refused. */
  lastRefusedAt: number | undefined;
  readonly #publishing = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;
  #count = 0;

  constructor({ app }: NewsNode, channels: readonly string[], perSecond: number) {
    this.#timer = setInterval(() => {
      const channel = channels[this.#count++ % channels.length] as string;
      const sentAt = performance.now();
      const published = app.channels.publish(channel, 'said', this.#count).then(
        () => void this.accepted++,
        () => {
          this.refused++;
          this.lastRefusedAt = Math.max(sentAt, this.lastRefusedAt ?? sentAt);
        },
      );
      this.#publishing.add(published);
      void published.finally(() => this.#publishing.delete(published));
    }, 1_000 / perSecond);
  }

  /** Resolves when so many were accepted since. */
  async accepts(count: number, timeoutMs?: number): Promise<void> {
    const until = this.accepted + count;
    await eventually(`${count} publications were accepted`, async () => this.accepted >= until, timeoutMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#publishing);
  }
}

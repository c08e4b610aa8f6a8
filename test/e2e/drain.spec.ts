import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import {
  Acked,
  defineChannel,
  SubscribeChannel,
  type ChannelsModuleOptions,
  type DrainReport,
} from 'nestjs-channels';
import { ChannelsClient, type ClientState } from 'nestjs-channels/client';
import type { ChannelsTestApp } from 'nestjs-channels/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { Bus } from '../support/bus-broker.js';
import { Deferred } from '../support/deferred.js';
import { refusalOf } from '../support/refusals.js';
import { startApp } from '../support/start-app.js';

/** As long as a busy machine takes. */
const POLL = { timeout: 10_000 };

const room = defineChannel('room:{name}', { history: true });

@WebSocketGateway({ path: '/ws' })
class TalkGateway {
  /** What was asked to work, and has not been told to end. */
  readonly works: Deferred<string>[] = [];
  begun = new Deferred();

  @SubscribeChannel(room)
  join(): void {}

  @SubscribeMessage('work')
  @Acked()
  work(@MessageBody() name: string): Promise<string> {
    const work = new Deferred<string>();
    this.works.push(work);
    this.begun.resolve(undefined);
    return work.promise.then((how) => `${name} ${how}`);
  }
}

interface Node {
  readonly app: ChannelsTestApp;
  readonly gateway: TalkGateway;
  readonly reports: DrainReport[];
}

async function startNode(bus: Bus, options: ChannelsModuleOptions = {}): Promise<Node> {
  const reports: DrainReport[] = [];
  const app = await startApp({
    providers: [TalkGateway],
    channels: {
      broker: bus.node(),
      drainWindowMs: 2_000,
      observers: [{ drained: (report) => reports.push(report) }],
      ...options,
    },
  });
  return { app, gateway: app.nest.get(TalkGateway), reports };
}

/** A client with one url, behind which another node can be put, and all that it was told. */
class Behind {
  readonly states: ClientState['name'][] = [];
  readonly heard: unknown[] = [];
  readonly sockets: WebSocket[] = [];
  readonly client: ChannelsClient;

  constructor(public node: Node) {
    const url = (): string => this.node.app.url('/ws');
    const { sockets } = this;
    class Balanced extends WebSocket {
      constructor(_url: string, protocols?: string[]) {
        super(url(), protocols);
        sockets.push(this);
      }
    }
    this.client = new ChannelsClient('ws://balancer', { WebSocket: Balanced });
    onTestFinished(() => this.client.close());
    this.client.on('$state', ({ name }) => this.states.push(name));
    this.client.on('$gap', ({ reason }) => this.heard.push(reason));
  }

  /** Resolves when the client has closed its first connection. */
  async left(): Promise<number> {
    const [first] = this.sockets;
    return new Promise((resolve) => first?.once('close', resolve));
  }
}

describe('a node that stops', () => {
  it('moves its clients to another one, which miss nothing and notice nothing', async () => {
    const bus = new Bus();
    const [one, two] = [await startNode(bus), await startNode(bus)];
    const behind = new Behind(one);
    const channel = behind.client.channel('room:a');
    channel.on('number', (number) => behind.heard.push(number));
    await channel.subscribe();
    behind.node = two;

    const left = behind.left();
    const closed = one.app.nest.close();
    const numbers = Array.from({ length: 50 }, (_, at) => at);
    for (const number of numbers) await two.app.channels.publish('room:a', 'number', number);
    await Promise.all([left, closed]);
    await two.app.channels.publish('room:a', 'number', 50);
    await expect.poll(() => behind.heard.length, POLL).toBe(51);

    expect(behind.heard).toEqual([...numbers, 50]);
    expect(behind.states).toEqual(['connecting', 'open']);
    expect(one.reports).toEqual([expect.objectContaining({ clients: 1, left: 1, stayed: 0 })]);
  });

  it('finishes what is in flight, while what comes then waits for the other one', async () => {
    const bus = new Bus();
    const [one, two] = [await startNode(bus), await startNode(bus)];
    const behind = new Behind(one);
    await behind.client.channel('room:a').subscribe();
    const first = behind.client.send('work', 'first');
    await one.gateway.begun.promise;
    behind.node = two;

    const closed = one.app.nest.close();
    await expect.poll(async () => (await two.app.channels.subscribers('room:a')).subscribers.length).toBe(1);
    const second = behind.client.send('work', 'second');
    one.gateway.works[0]?.resolve('here');
    await two.gateway.begun.promise;
    two.gateway.works[0]?.resolve('there');

    expect(await Promise.all([first, second])).toEqual(['first here', 'second there']);
    await closed;
    expect([one.gateway.works.length, two.gateway.works.length]).toEqual([1, 1]);
    expect(behind.states).toEqual(['connecting', 'open']);
  });

  it('keeps those who are sent back to it, and closes them with 1012 in the end', async () => {
    const one = await startNode(new Bus(), { drainWindowMs: 400 });
    const behind = new Behind(one);
    await behind.client.channel('room:a').subscribe();

    const left = behind.left();
    await one.app.nest.close();

    expect(await left).toBe(1_012);
    expect(behind.sockets.length).toBeGreaterThan(1);
    expect(one.reports).toEqual([expect.objectContaining({ clients: 1, left: 0, stayed: 1 })]);
  });

  it('does so on demand, takes nobody new on, and serves who stays', async () => {
    const one = await startNode(new Bus());
    const peer = await one.app.connect('/ws');
    const drained = one.app.channels.drain({ windowMs: 300 });

    const refused = [
      await refusalOf(one.app.connect('/ws', { protocols: [] })),
      await refusalOf(one.app.connect('/ws')),
    ];
    const report = await drained;
    const ack = await peer.subscribe('room:a');

    expect(refused.map(({ statusCode }) => statusCode)).toEqual([503, 503]);
    expect(report).toMatchObject({ clients: 1, windowMs: 300, left: 0, stayed: 1 });
    expect(ack.data).toMatchObject({ channel: 'room:a' });
  });

  it.each([-1, 0.5, Number.NaN, 2 ** 31])('refuses to drain within %s', async (windowMs) => {
    const one = await startNode(new Bus());

    const drained = one.app.channels.drain({ windowMs });

    await expect(drained).rejects.toMatchObject({ code: 'bad_request' });
  });
});

describe('a node that turns connections over', () => {
  it('has the same client twice for a moment, and replaces nobody', async () => {
    const one = await startNode(new Bus(), { maxConnectionAgeMs: 200, handlerTimeoutMs: 1_000 });
    const behind = new Behind(one);
    const channel = behind.client.channel('room:a');
    await channel.subscribe();

    const code = await behind.left();

    expect(code).toBe(1_000);
    expect(behind.states).toEqual(['connecting', 'open']);
    expect(behind.heard).toEqual([]);
  });
});

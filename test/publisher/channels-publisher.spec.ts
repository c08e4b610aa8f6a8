import { Injectable, Module, type OnModuleDestroy } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { WebSocketGateway } from '@nestjs/websockets';
import {
  ChannelsService,
  defineChannel,
  SubscribeChannel,
  type Broker,
  type BrokerNode,
} from 'nestjs-channels';
import {
  ChannelsPublisher,
  ChannelsPublisherModule,
  type ChannelsPublisherModuleOptions,
} from 'nestjs-channels/publisher';
import type { ChannelsTestApp } from 'nestjs-channels/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Bus } from '../support/bus-broker.js';
import { RegistryBus } from '../support/bus-registry.js';
import { RecordingObserver } from '../support/recording-observer.js';
import { startApp } from '../support/start-app.js';

const chat = defineChannel('chat:{room}', { history: { size: 10 } });

@WebSocketGateway({ path: '/ws' })
class RoomGateway {
  @SubscribeChannel(chat)
  chat(): void {}

  @SubscribeChannel('news')
  news(): void {}
}

interface World {
  readonly bus: Bus;
  readonly registry: RegistryBus;
  /** The way of one more process to the others. */
  broker(): Broker;
}

function createWorld(): World {
  const bus = new Bus();
  const registry = new RegistryBus();
  return { bus, registry, broker: () => Object.assign(bus.node(), { registry: registry.registry() }) };
}

/** An application with sockets. */
function startNode(world: World): Promise<ChannelsTestApp> {
  return startApp({ providers: [RoomGateway], channels: { broker: world.broker() } });
}

/** An application without. */
async function startWorker(
  world: World,
  options: Partial<ChannelsPublisherModuleOptions> = {},
): Promise<ChannelsPublisher> {
  const module = ChannelsPublisherModule.forRoot({ broker: world.broker(), ...options });
  const app = await NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });
  onTestFinished(() => app.close());
  return app.get(ChannelsPublisher);
}

describe('ChannelsPublisher', () => {
  it('reaches the subscribers of a node, in order and with offsets', async () => {
    const world = createWorld();
    const node = await startNode(world);
    const client = await node.connect('/ws');
    await client.subscribe('chat:1');
    const publisher = await startWorker(world, { channels: [chat] });

    await Promise.all([1, 2, 3].map((data) => publisher.publish(chat.name({ room: '1' }), 'message', data)));
    await client.waitFor({ event: 'message', data: 3 });

    expect(client.frames.slice(1)).toEqual(
      [1, 2, 3].map((at) => ({ channel: 'chat:1', event: 'message', data: at, offset: at })),
    );
  });

  it.each([
    ['an empty one', ''],
    ['half of a character', 'order-\ud800'],
    ['256 characters', 'k'.repeat(256)],
    ['a number', 7 as unknown as string],
  ])('refuses as a key: %s', async (_what, key) => {
    const world = createWorld();
    const node = await startNode(world);
    const publisher = await startWorker(world, { channels: [chat] });

    for (const one of [publisher, node.channels]) {
      await expect(one.publish('chat:1', 'message', 1, { key })).rejects.toMatchObject({
        code: 'bad_request',
      });
    }

    expect((await node.channels.history('chat:1')).publications).toEqual([]);
  });

  it('takes a key of 255 characters, whole ones of any kind', async () => {
    const world = createWorld();
    const node = await startNode(world);
    const publisher = await startWorker(world, { channels: [chat] });

    for (const key of ['k'.repeat(255), '\u{1f600} \0'])
      await publisher.publish('chat:1', 'message', key, { key });

    expect((await node.channels.history('chat:1')).publications).toHaveLength(2);
  });

  it('publishes once under a key', async () => {
    const world = createWorld();
    const node = await startNode(world);
    const publisher = await startWorker(world, { channels: [chat] });

    await publisher.publish('chat:1', 'message', 'first', { key: 'a' });
    await publisher.publish('chat:1', 'message', 'again', { key: 'a' });

    const { publications } = await node.channels.history('chat:1');
    expect(publications.map(({ data }) => data)).toEqual(['first']);
  });

  it('leaves out a connection', async () => {
    const world = createWorld();
    const node = await startNode(world);
    const [one, other] = [await node.connect('/ws'), await node.connect('/ws')];
    await one.subscribe('news');
    await other.subscribe('news');
    const { connections } = await node.channels.connections();
    const publisher = await startWorker(world);

    await publisher.publish('news', 'first', 1, { except: connections[0]?.id });
    await publisher.publish('news', 'second', 2);

    expect(await one.waitFor({ event: 'second' })).toMatchObject({ data: 2 });
    expect(one.frames).not.toContainEqual(expect.objectContaining({ event: 'first' }));
    expect(await other.waitFor({ event: 'first' })).toMatchObject({ data: 1 });
  });

  it.each<[string, Parameters<ChannelsPublisher['publish']>, string]>([
    ['no channel name', ['chat:*', 'message'], 'bad_request'],
    ['a reserved event', ['news', '$join'], 'bad_request'],
    ['an event that is too long', ['news', 'e'.repeat(129)], 'bad_request'],
    ['data without JSON', ['news', 'message', 1n], 'bad_request'],
    ['data that is too long', ['news', 'message', 'x'.repeat(65_535)], 'payload_too_large'],
    ['a key without a history', ['news', 'message', 1, { key: 'a' }], 'bad_request'],
    ['an exception with a history', ['chat:1', 'message', 1, { except: 'x' }], 'bad_request'],
  ])('refuses %s as a node does', async (_what, args, code) => {
    const world = createWorld();
    const node = await startNode(world);
    const publisher = await startWorker(world, { channels: [chat] });

    const errors = await Promise.all(
      [publisher.publish(...args), node.channels.publish(...args)].map((published) =>
        published.catch((error: unknown) => error),
      ),
    );

    expect(errors).toEqual([expect.objectContaining({ code }), expect.objectContaining({ code })]);
    expect(String(errors[0])).toBe(String(errors[1]));
  });

  it.each([
    ['the worker does not know of the history', [], 'no history here, but a history of 10 for 300000 ms at'],
    [
      'the worker keeps more',
      [defineChannel('chat:{any}', { history: { size: 11 } })],
      'a history of 11 for 300000 ms here, but a history of 10 for 300000 ms at',
    ],
  ])('refuses what contradicts the nodes, and says both sides: %s', async (_what, channels, message) => {
    const world = createWorld();
    const node = await startNode(world);
    const publisher = await startWorker(world, { channels });

    await expect(publisher.publish('chat:1', 'message', 1)).rejects.toThrow(message);
    await expect(publisher.publish('chat:1', 'message', 1)).rejects.toMatchObject({ code: 'bad_request' });

    expect((await node.channels.history('chat:1')).publications).toEqual([]);
  });

  it('encodes the data before it looks what the nodes say', async () => {
    const world = createWorld();
    const node = await startNode(world);
    const publisher = await startWorker(world, { channels: [chat] });
    const data = { text: 'as it was' };

    const published = publisher.publish('chat:1', 'message', data);
    data.text = 'changed';
    await published;

    const { publications } = await node.channels.history('chat:1');
    expect(publications[0]?.data).toEqual({ text: 'as it was' });
  });

  it('rejects while the broker is away, also where a node would go on with its own subscribers', async () => {
    const world = createWorld();
    const nodes: BrokerNode[] = [];
    const start: Broker['start'] = (_sink, node) => void nodes.push(node);
    const publisher = await startWorker(world, { broker: Object.assign(world.broker(), { start }) });

    const [told] = nodes;
    told?.stateChanged('away', 'on purpose');
    await expect(publisher.publish('news', 'message')).rejects.toMatchObject({ code: 'unavailable' });

    told?.stateChanged('deaf', 'what is published gets out');
    await expect(publisher.publish('news', 'message')).resolves.toBe(undefined);
    told?.stateChanged('ready', 'it is back');
    await expect(publisher.publish('news', 'message')).resolves.toBe(undefined);
  });

  it('tells observers what it has published', async () => {
    const told: string[] = [];
    const publisher = await startWorker(createWorld(), {
      observers: [{ published: (channel, event) => void told.push(`${channel} ${event}`) }],
    });

    await publisher.publish('news', 'message');

    expect(told).toEqual(['news message']);
  });

  it('goes by the limits that it is given', async () => {
    const publisher = await startWorker(createWorld(), { maxMessageBytes: 3, maxEventLength: 1 });

    await publisher.publish('news', 'e', 123);

    await expect(publisher.publish('news', 'e', 1234)).rejects.toMatchObject({ code: 'payload_too_large' });
    await expect(publisher.publish('news', 'ee')).rejects.toMatchObject({ code: 'bad_request' });
  });
});

describe('ChannelsPublisherModule', () => {
  it('takes options that are resolved later, and hands the publisher to providers', async () => {
    @Injectable()
    class Report {
      constructor(readonly publisher: ChannelsPublisher) {}
    }
    const world = createWorld();
    const module = ChannelsPublisherModule.forRootAsync({
      useFactory: async () => Promise.resolve({ broker: world.broker() }),
    });
    @Module({ imports: [module], providers: [Report] })
    class WorkerModule {}

    const app = await NestFactory.createApplicationContext(WorkerModule, { logger: false });
    onTestFinished(() => app.close());

    expect(app.get(Report).publisher).toBe(app.get(ChannelsPublisher));
    await expect(app.get(Report).publisher.publish('news', 'message')).resolves.toBe(undefined);
  });

  it.each<[string, object, string]>([
    ['no broker', { broker: undefined }, 'needs the option "broker"'],
    [
      'a limit that is none',
      { maxMessageBytes: 0 },
      'maxMessageBytes (0) must be a whole number of at least 1.',
    ],
    [
      'two opinions about the same names',
      { channels: [chat, defineChannel('chat:{other}')] },
      '"chat:{other}" has other options elsewhere',
    ],
  ])('refuses %s at the start', async (_what, options, message) => {
    await expect(startWorker(createWorld(), options)).rejects.toThrow(message);
  });

  it('lets others publish when they end, and closes the broker behind them', async () => {
    const closed: string[] = [];
    @Injectable()
    class Farewell implements OnModuleDestroy {
      constructor(private readonly publisher: ChannelsPublisher) {}

      async onModuleDestroy(): Promise<void> {
        await this.publisher.publish('news', 'farewell');
        closed.push('published');
      }
    }
    const world = createWorld();
    const broker = world.broker();
    const close = broker.close.bind(broker);
    const told = Object.assign(broker, {
      close: () => {
        closed.push('closed');
        return close();
      },
    });
    @Module({ imports: [ChannelsPublisherModule.forRoot({ broker: told })], providers: [Farewell] })
    class WorkerModule {}
    const app = await NestFactory.createApplicationContext(WorkerModule, { logger: false });

    await app.close();

    expect(closed).toEqual(['published', 'closed']);
  });

  it('is no node: nobody asks it, and nobody waits for it', async () => {
    const world = createWorld();
    const observer = new RecordingObserver();
    const node = await startApp({
      providers: [RoomGateway],
      channels: { broker: world.broker(), observers: [observer] },
    });
    await startWorker(world);

    const { nodes } = await node.nest.get(ChannelsService).connections();

    expect(nodes).toEqual({ expected: 1, answered: 1, missing: [] });
    expect(world.registry.said.size).toBe(1);
  });
});

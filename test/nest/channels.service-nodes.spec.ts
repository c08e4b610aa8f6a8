import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import { SubscribeChannel, UseHandshakeGuards, type Broker } from 'nestjs-channels';
import type { ChannelsTestApp, TestClient } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { Bus } from '../support/bus-broker.js';
import { NodesBus, type BusNodes } from '../support/bus-nodes.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { RecordingObserver } from '../support/recording-observer.js';
import { startApp } from '../support/start-app.js';

@Injectable()
class UserGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<{ url: string; user?: unknown }>();
    const id = request.url.split('user=')[1] ?? '';
    request.user = { id, tenant: id === 'eve' ? 'other' : 'acme' };
    return true;
  }
}

@WebSocketGateway({ path: '/ws' })
@UseHandshakeGuards(UserGuard)
class RoomGateway {
  @SubscribeChannel('chat:{room}')
  join(): void {}
}

interface Node {
  readonly app: ChannelsTestApp;
  readonly nodes: BusNodes;
  readonly observer: RecordingObserver;
}

const SILENCE_MS = 100;
const ALL = { expected: 3, answered: 3, missing: [] };

/** Three nodes that share a bus. */
async function start(): Promise<[Node, Node, Node]> {
  const bus = new Bus();
  const nodesBus = new NodesBus();
  const startOne = async (): Promise<Node> => {
    const observer = new RecordingObserver();
    const nodes = nodesBus.node();
    const broker: Broker = Object.assign(bus.node(), { nodes });
    const app = await startApp({
      providers: [RoomGateway, UserGuard],
      channels: { broker, observers: [observer], controlTimeoutMs: SILENCE_MS },
    });
    return { app, nodes, observer };
  };
  return [await startOne(), await startOne(), await startOne()];
}

async function enter({ app }: Node, user: string, channel = 'chat:1'): Promise<TestClient> {
  const client = await app.connect(`/ws?user=${user}`);
  await client.subscribe(channel);
  return client;
}

describe('on several nodes', () => {
  it('disconnect closes the connections of a user on all of them', async () => {
    const [one, two, three] = await start();
    const ada = [await enter(one, 'ada'), await enter(two, 'ada'), await enter(three, 'ada')];
    await enter(two, 'bob');

    const answer = await one.app.channels.disconnect({ principal: 'ada' });
    const closes = await Promise.all(ada.map((client) => client.closed));
    const { connections } = await one.app.channels.connections();

    expect(answer).toEqual({ disconnected: 3, nodes: ALL });
    expect(closes.map(({ code }) => code)).toEqual([1000, 1000, 1000]);
    expect(connections.map(({ principal }) => principal)).toEqual(['bob']);
  });

  it.each([
    ['a channel', { channel: 'chat:2' }, 'bob'],
    ['claims', { claims: { tenant: 'other' } }, 'eve'],
    ['a principal in a channel', { principal: 'ada', channel: 'chat:1' }, 'ada'],
  ])('disconnect finds by %s what another node has', async (_what, filter, expected) => {
    const [one, two, three] = await start();
    const clients: Record<string, TestClient> = {
      ada: await enter(two, 'ada'),
      bob: await enter(three, 'bob', 'chat:2'),
      eve: await enter(two, 'eve'),
    };

    const { disconnected } = await one.app.channels.disconnect(filter, { reconnect: true });
    const { connections } = await one.app.channels.connections();

    expect(disconnected).toBe(1);
    expect(await clients[expected]?.closed).toMatchObject({ code: 1012 });
    expect(connections.map(({ principal }) => principal)).not.toContain(expected);
  });

  it('connections and subscribers are told of all, those of this node first', async () => {
    const [one, two, three] = await start();
    await enter(three, 'eve', 'chat:2');
    await enter(two, 'bob');
    await enter(one, 'ada');

    const all = await one.app.channels.connections();
    const { subscribers, more, nodes } = await two.app.channels.subscribers('chat:1');

    expect(all.connections[0]).toMatchObject({ principal: 'ada', path: '/ws', channels: ['chat:1'] });
    expect(all.connections.map(({ principal }) => principal).toSorted()).toEqual(['ada', 'bob', 'eve']);
    expect(subscribers.map(({ principal }) => principal)).toEqual(['bob', 'ada']);
    expect([more, nodes]).toEqual([false, ALL]);
  });

  it('connections say that there are more where a node has more than the limit', async () => {
    const [one, two] = await start();
    await enter(two, 'bob');
    await enter(two, 'eve');
    await enter(one, 'ada');

    const limited = await one.app.channels.connections({}, { limit: 1 });
    const all = await one.app.channels.connections({}, { limit: 2 });

    expect([limited.connections.length, limited.more]).toEqual([2, true]);
    expect([all.connections.length, all.more]).toEqual([3, false]);
  });

  it('name a node that is silent, and tell what the others have', async () => {
    const [one, two, three] = await start();
    const clients = [await enter(one, 'ada'), await enter(three, 'ada')];
    await enter(two, 'ada');
    two.nodes.isFrozen = true;

    const told = await one.app.channels.connections({ principal: 'ada' });
    const { disconnected, nodes } = await one.app.channels.disconnect({ principal: 'ada' });
    await Promise.all(clients.map((client) => client.closed));

    const missing = { expected: 3, answered: 2, missing: [two.nodes.id] };
    expect([told.connections.length, told.nodes]).toEqual([2, missing]);
    expect([disconnected, nodes]).toEqual([2, missing]);
  });

  it.each([
    ['of another version', '{"v":2,"disconnected":1}'],
    ['that is no JSON', '<html>'],
    ['of another kind', '{"v":1,"connections":7,"more":false}'],
    ['without a number', '{"v":1,"disconnected":-1}'],
    ['that is null', 'null'],
    ['that is empty', ''],
  ])('count an answer %s as missing, and report it', async (_what, says) => {
    const [one, two] = await start();
    two.nodes.says = says;

    const closed = await one.app.channels.disconnect({ principal: 'ada' });
    const told = await one.app.channels.connections();

    const missing = { expected: 3, answered: 2, missing: [two.nodes.id] };
    expect([closed.nodes, told.nodes]).toEqual([missing, missing]);
    expect(one.observer.failures.map(({ where }) => where)).toEqual([
      `the answer of node ${two.nodes.id}`,
      `the answer of node ${two.nodes.id}`,
    ]);
  });

  it.each([
    ['of another version', '{"v":2,"type":"disconnect","filter":{"principal":"ada"},"reconnect":false}'],
    ['of another kind', '{"v":1,"type":"evict","filter":{"principal":"ada"}}'],
    [
      'with a filter of another form',
      '{"v":1,"type":"disconnect","filter":{"principal":7},"reconnect":false}',
    ],
    ['without a filter', '{"v":1,"type":"disconnect","reconnect":false}'],
    ['without a limit', '{"v":1,"type":"connections","filter":{}}'],
    ['that is no JSON', 'disconnect'],
    ['that is a number', '7'],
  ])('do nothing for a question %s, and report it', async (_what, question) => {
    const [one, two] = await start();
    await enter(two, 'ada');

    const { answers, nodes } = await one.nodes.ask(question, SILENCE_MS);
    const { connections } = await two.app.channels.connections();

    expect([answers, nodes.answered]).toEqual([[], 1]);
    expect(two.observer.failures).toHaveLength(1);
    expect(connections).toHaveLength(1);
  });

  it('close nobody for an empty filter, whoever asks', async () => {
    const [one, two] = await start();
    await enter(two, 'ada');

    const own = await one.app.channels.disconnect({});
    const question = '{"v":1,"type":"disconnect","filter":{"principle":"ada"},"reconnect":false}';
    const { answers } = await one.nodes.ask(question, SILENCE_MS);
    const { connections } = await one.app.channels.connections();

    expect(own).toEqual({ disconnected: 0, nodes: { expected: 1, answered: 1, missing: [] } });
    expect(answers.map(({ text }) => text)).toEqual(['{"v":1,"disconnected":0}', '{"v":1,"disconnected":0}']);
    expect(connections).toHaveLength(1);
  });

  it('bound an answer by its length, whatever limit is asked for', async () => {
    const [one, two] = await start();
    for (let count = 0; count < 3; count += 1) await enter(two, 'ada');
    const ask = (maxLength: number) =>
      one.nodes.ask(
        JSON.stringify({ v: 1, type: 'connections', filter: {}, limit: 100, maxLength }),
        SILENCE_MS,
      );
    const whole = await ask(100_000);
    const text = whole.answers.find(({ node }) => node === two.nodes.id)?.text ?? '';
    const size = JSON.stringify((JSON.parse(text) as { connections: unknown[] }).connections[0]).length;

    const cut = await ask(2 * size + 1);
    const told = JSON.parse(cut.answers.find(({ node }) => node === two.nodes.id)?.text ?? '') as object;

    expect(told).toMatchObject({ v: 1, connections: { length: 2 }, more: true });
  });

  it('are told apart in the log by the name that others know', async () => {
    const logger = new RecordingLogger();
    const nodes = new NodesBus().node();
    const broker: Broker = Object.assign(new Bus().node(), { nodes });

    await startApp({ channels: { broker }, configure: (nest) => nest.useLogger(logger) });
    const alone = new RecordingLogger();
    await startApp({ configure: (nest) => nest.useLogger(alone) });

    expect(logger.logs).toContain(`This node is ${nodes.id}`);
    expect(alone.logs.filter((line) => line.startsWith('This node is'))).toEqual([]);
  });

  it('are left by a node that shuts down', async () => {
    const [one, two, three] = await start();

    await two.app.close();

    expect((await one.app.channels.connections()).nodes).toEqual({ expected: 2, answered: 2, missing: [] });
    expect(one.nodes.alive()).toEqual([one.nodes.id, three.nodes.id]);
  });
});

import { describe, expect, it, vi } from 'vitest';
import { eventually } from '../support/redis/eventually.js';
import { RedisServer } from '../support/redis/redis-server.js';
import { freeServerPort } from '../support/redis/server-port.js';
import { converged, Reader, startNode } from './news-nodes.js';
import { startLink } from './nodes-bench.js';

vi.setConfig({ testTimeout: 60_000 });

const away = (node: { broker: { state: string } }) =>
  eventually('the broker was away', async () => node.broker.state === 'away');
const back = (node: { broker: { state: string } }) =>
  eventually('the broker was back', async () => node.broker.state === 'ready');

describe('a node whose Redis is away', () => {
  it('refuses to publish where there is a history, and pretends nothing', async () => {
    const server = await RedisServer.start();
    const node = await startNode({ connection: server.url });
    const reader = await Reader.join(node, 'news:a');
    await node.app.channels.publish('news:a', 'said', 1);
    await vi.waitFor(() => expect(reader.told).toEqual([1]));
    await server.kill();
    await away(node);

    await expect(node.app.channels.publish('news:a', 'said', 2)).rejects.toMatchObject({
      code: 'unavailable',
      retryable: true,
    });
    await expect(node.app.channels.history('news:a')).rejects.toMatchObject({ code: 'unavailable' });

    expect(reader.told).toEqual([1]);
  });

  it('hands what has no history to its own subscribers, and tells the others what they have missed', async () => {
    const server = await RedisServer.start();
    const [one, other] = [
      await startNode({ connection: server.url }),
      await startNode({ connection: server.url }),
    ];
    const near = await one.app.connect('/ws');
    const far = await other.app.connect('/ws');
    await near.subscribe('live:a');
    await far.subscribe('live:a');
    await server.kill();
    await Promise.all([away(one), away(other)]);

    await one.app.channels.publish('live:a', 'said', 'alone');
    const heard = await near.waitFor({ event: 'said' });
    await server.restart();
    await Promise.all([back(one), back(other)]);
    await far.waitFor({ event: '$gap' });
    await one.app.channels.publish('live:a', 'said', 'together');

    expect(heard).toMatchObject({ data: 'alone' });
    expect(await far.waitFor({ event: 'said' })).toMatchObject({ data: 'together' });
  });

  it('joins nobody anew to a channel that it does not follow, and says so in time', async () => {
    const server = await RedisServer.start();
    const node = await startNode({ connection: server.url });
    const client = await node.app.connect('/ws');
    await server.kill();
    await away(node);

    const { error } = await client.subscribe('news:a');

    expect(error).toMatchObject({ code: 'unavailable', retryable: true });
  });

  it('goes on when Redis is back, with all of its channels', async () => {
    const server = await RedisServer.start();
    const node = await startNode({ connection: server.url });
    const readers = await Promise.all(
      ['news:a', 'news:b', 'news:c'].map((channel) => Reader.join(node, channel)),
    );
    await server.kill();
    await away(node);
    await server.restart();
    await back(node);

    for (const { channel } of readers) await node.app.channels.publish(channel, 'said', 1);
    await converged(node, readers);

    // It has forgotten everything, and everybody is told.
    expect(readers.map(({ gaps }) => gaps)).toEqual([1, 1, 1]);
    expect(node.states.map(({ state }) => state)).toEqual(['away', 'ready']);
  });

  it('says no to a command that Redis does not answer', async () => {
    const server = await RedisServer.start();
    const node = await startNode({ connection: server.url, commandTimeoutMs: 300, probeIntervalMs: 600_000 });
    server.freeze();

    const published = node.app.channels.publish('news:a', 'said', 1);

    await expect(published).rejects.toMatchObject({
      code: 'unavailable',
      message: 'Redis has not answered within 300 ms; it may have done it',
    });
    server.thaw();
  });

  it('keeps a bounded number of commands waiting', async () => {
    const server = await RedisServer.start();
    const options = {
      connection: server.url,
      commandTimeoutMs: 2_000,
      probeIntervalMs: 600_000,
      maxPending: 3,
    };
    const node = await startNode(options, { positionCheckMs: 120_000 });
    server.freeze();

    const publishing = [1, 2, 3, 4].map((data) => node.app.channels.publish('news:a', 'said', data));
    const outcomes = Promise.allSettled(publishing);
    await expect(publishing[3]).rejects.toMatchObject({
      code: 'unavailable',
      message: '3 commands wait for Redis: maxPending bounds them',
    });
    server.thaw();

    expect((await outcomes).map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'rejected',
    ]);
  });

  it('keeps what it listens to where too much waits to hear that Redis does', async () => {
    const server = await RedisServer.start();
    const link = await startLink({ connection: server.url, maxPending: 1 });
    const received: string[] = [];
    server.freeze();

    const waiting = link.info('server');
    const listening = link.listen('news', (message) => received.push(message));
    await expect(listening).rejects.toMatchObject({ code: 'unavailable' });
    server.thaw();
    await waiting;

    await eventually('what is published comes', async () => {
      await link.publish('news', 'said');
      return received.length > 0;
    });
  });
});

describe('a node that starts while Redis is away', () => {
  it('does not start, and says why and what to do', async () => {
    const port = await freeServerPort();

    await expect(startNode({ connection: { port }, startTimeoutMs: 500 })).rejects.toThrow(
      /Redis is not there: .*ECONNREFUSED.* \(waited 500 ms, startTimeoutMs\).*awayAtStart: 'degrade'/,
    );
  });

  it('starts where it is told to, and is whole when Redis comes', async () => {
    const server = await RedisServer.start();
    await server.kill();
    const node = await startNode({ connection: server.url, startTimeoutMs: 500, awayAtStart: 'degrade' });
    const state = node.broker.state;

    await server.restart();
    await back(node);
    const reader = await Reader.join(node, 'news:a');
    await node.app.channels.publish('news:a', 'said', 1);
    await converged(node, [reader]);

    expect([state, reader.told]).toEqual(['away', [1]]);
  });
});

describe('the options of a broker', () => {
  it.each([
    [{ connection: '' }, 'The option "connection" is missing'],
    [{ connection: undefined }, 'The option "connection" is missing'],
    [undefined, 'The option "connection" is missing'],
    [null, 'The option "connection" is missing'],
    [
      { connection: 'redis://x', durability: 'replicated', commandTimeoutMs: 500, replicationTimeoutMs: 500 },
      'The option "replicationTimeoutMs" is 500: it is less than commandTimeoutMs (500)',
    ],
    [{ connection: 'redis://x', prefix: 'a{b}' }, 'no blank and no brace'],
    [{ connection: 'redis://x', maxPending: 0 }, 'The option "maxPending" is 0'],
    [{ connection: 'redis://x', commandTimeoutMs: 1.5 }, 'The option "commandTimeoutMs" is 1.5'],
    [{ connection: 'redis://x', awayAtStart: 'wait' }, 'it is "fail" or "degrade"'],
    [{ connection: 'redis://x', durability: 'always' }, 'it is "master" or "replicated"'],
  ])('say what is wrong with %j', async (options, message) => {
    await expect(startNode(options as never)).rejects.toThrow(message);
  });
});

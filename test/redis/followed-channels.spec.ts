import { FaultProxy, TestClock } from 'nestjs-channels/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { FollowedChannels } from '../../lib/redis/followed-channels.js';
import { Deferred } from '../support/deferred.js';
import { eventually } from '../support/redis/eventually.js';
import { RedisServer } from '../support/redis/redis-server.js';
import { startNode } from './news-nodes.js';

vi.setConfig({ testTimeout: 60_000 });

const LINGER_MS = 2_000;

/** The channels of a node whose Redis answers when it is told to. */
class Following {
  readonly told: string[] = [];
  readonly answers: Deferred<void>[] = [];
  readonly clock = new TestClock();
  readonly channels = new FollowedChannels(
    {
      listen: (channel) => {
        this.told.push(`listen ${channel}`);
        const answer = new Deferred<void>();
        this.answers.push(answer);
        return answer.promise;
      },
      unlisten: (channel) => void this.told.push(`unlisten ${channel}`),
    },
    LINGER_MS,
  );

  constructor() {
    this.channels.start(this.clock);
  }

  async pass(ms: number): Promise<void> {
    await this.clock.advance(ms);
    this.channels.sweep(this.clock.now());
  }
}

describe('the channels that a node follows', () => {
  it('are left a while after the last one has gone, and not before', async () => {
    const node = new Following();
    const { channels, told, answers } = node;
    void channels.follow('a');
    answers[0]?.resolve();

    channels.leave('a');
    await node.pass(LINGER_MS - 1);
    const before = [...told];
    await node.pass(1);

    expect(before).toEqual(['listen a']);
    expect(told).toEqual(['listen a', 'unlisten a']);
  });

  it('are not left where somebody comes back in that while', async () => {
    const node = new Following();
    const { channels, told, answers } = node;
    void channels.follow('a');
    answers[0]?.resolve();

    channels.leave('a');
    await node.pass(LINGER_MS - 1);
    await channels.follow('a');
    await node.pass(LINGER_MS);

    expect(told).toEqual(['listen a']);
  });

  it('are asked for anew where Redis has refused before', async () => {
    const { channels, told, answers } = new Following();
    const refused = channels.follow('a');
    answers[0]?.reject(new Error('away'));
    await expect(refused).rejects.toThrow('away');
    // The hub says so of everybody who has gone, also of who has never been in.
    channels.leave('a');

    void channels.follow('a');

    expect(told).toEqual(['listen a', 'unlisten a', 'listen a']);
  });

  it('let who comes second wait for the answer to the first, who has gone', async () => {
    const { channels, told, answers } = new Following();
    const first = channels.follow('a');
    channels.leave('a');
    const second = channels.follow('a');

    answers[0]?.reject(new Error('away'));

    await expect(first).rejects.toThrow('away');
    await expect(second).rejects.toThrow('away');
    expect(told).toEqual(['listen a', 'unlisten a']);
  });

  it('have a position that only goes on, within an epoch', () => {
    const { channels } = new Following();
    channels.see('a', { epoch: 'e', offset: 1 });
    const unknown = channels.seen('a');
    void channels.follow('a');
    for (const offset of [5, 4]) channels.see('a', { epoch: 'e', offset });
    const highest = channels.seen('a');
    channels.see('a', { epoch: 'f', offset: 1 });

    expect(unknown).toEqual({ epoch: '', offset: 0 });
    expect(highest).toEqual({ epoch: 'e', offset: 5 });
    expect(channels.seen('a')).toEqual({ epoch: 'f', offset: 1 });
  });
});

describe('a client whose join Redis could not take', () => {
  it.each(['live:a', 'news:a'])('gets everything of %s when it has joined at once again', async (channel) => {
    const server = await RedisServer.start();
    const proxy = await FaultProxy.start({ target: { port: server.port } });
    onTestFinished(() => proxy.close());
    const node = await startNode({ connection: { port: proxy.port } }, { positionCheckMs: 120_000 });
    const other = await startNode({ connection: server.url });
    const client = await node.app.connect('/ws');
    proxy.blackHole();
    proxy.reset();
    await eventually('the broker was away', async () => node.broker.state === 'away');

    const { error } = await client.subscribe(channel);
    proxy.heal();
    await eventually('the broker was back', async () => node.broker.state === 'ready');
    const again = await client.subscribe(channel);
    for (const data of [1, 2, 3]) await other.app.channels.publish(channel, 'said', data);

    expect(error).toMatchObject({ code: 'unavailable', retryable: true });
    expect(again.error).toBeUndefined();
    for (const data of [1, 2, 3]) expect(await client.waitFor({ event: 'said' })).toMatchObject({ data });
  });
});

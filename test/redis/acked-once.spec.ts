import { RedisBroker } from 'nestjs-channels/redis';
import { describe, expect, it } from 'vitest';
import { Deferred } from '../support/deferred.js';
import { eventually } from '../support/redis/eventually.js';
import { RedisServer } from '../support/redis/redis-server.js';
import { startTwo } from './acked-nodes.js';

const onRedis = async () => {
  const server = await RedisServer.start();
  const two = await startTwo(() => ({ broker: new RedisBroker(server.url) }));
  return { server, ...two };
};

describe('a copy of an acked message at another node', () => {
  it('gets the stored answer', async () => {
    const { script, a, b } = await onRedis();
    script.method = () => ({ number: script.ran.length });

    const first = await a.request('pay', 7, { id: 'm' });
    const copy = await b.request('pay', 7, { id: 'm' });

    expect(first).toEqual({ ack: 'm', data: { number: 1 } });
    expect(copy).toEqual(first);
    expect(script.ran).toEqual([7]);
  });

  it('runs again where each node remembers for itself', async () => {
    const { script, a, b } = await startTwo(() => ({}));

    await a.request('pay', 7, { id: 'm' });
    await b.request('pay', 7, { id: 'm' });

    expect(script.ran).toEqual([7, 7]);
  });

  it('waits for the answer of the one that runs', async () => {
    const { server, script, a, b } = await onRedis();
    const end = new Deferred<string>();
    script.method = () => end.promise;

    const first = a.request('pay', 7, { id: 'm' });
    await eventually('it runs', async () => script.ran.length === 1);
    const copy = b.request('pay', 7, { id: 'm' });
    await eventually('the copy waits', async () => {
      const [key] = (await server.run('keys', '*dedup*')) as string[];
      return key !== undefined && (await server.run('hexists', key, 'w')) === 1;
    });
    end.resolve('paid');

    expect(await Promise.all([first, copy])).toEqual([
      { ack: 'm', data: 'paid' },
      { ack: 'm', data: 'paid' },
    ]);
    expect(script.ran).toEqual([7]);
  });

  it('is a conflict with other data', async () => {
    const { script, a, b } = await onRedis();
    await a.request('pay', 7, { id: 'm' });

    expect(await b.request('pay', 8, { id: 'm' })).toMatchObject({ error: { code: 'conflict' } });
    expect(script.ran).toEqual([7]);
  });
});

describe('an acked message while Redis is away', () => {
  it('does not run, and is answered so that the client sends it again', async () => {
    const { server, script, a } = await onRedis();
    await server.kill();
    const refused = await a.request('pay', 7, { id: 'm' });
    const before = [...script.ran];
    await server.restart();

    const again = eventually('it runs', async () => {
      const answer = await a.request('pay', 7, { id: 'm' });
      return 'data' in answer && answer;
    });

    expect(refused).toMatchObject({ error: { code: 'unavailable', retryable: true } });
    expect(before).toEqual([]);
    expect(await again).toEqual({ ack: 'm', data: 7 });
    expect(script.ran).toEqual([7]);
  });
});

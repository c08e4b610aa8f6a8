import { RedisBroker } from 'nestjs-channels/redis';
import type { TestClient } from 'nestjs-channels/testing';
import { describe, expect, it, vi } from 'vitest';
import { Deferred } from '../support/deferred.js';
import { eventually } from '../support/redis/eventually.js';
import type { RedisServer } from '../support/redis/redis-server.js';
import { allReplicated, cutReplicas } from '../support/redis/replicas.js';
import { startTwo, type AckedNodes } from './acked-nodes.js';
import { FAILOVER_RIGS, type FailoverRig } from './failover-rigs.js';

vi.setConfig({ testTimeout: 120_000 });

const MANY = Array.from({ length: 12 }, (_, at) => `m${at}`);

/** The one key of a message id there is. */
async function theKey(servers: readonly RedisServer[]): Promise<string> {
  const found = await Promise.all(
    servers.map((server) => server.run('keys', '*dedup*') as Promise<string[]>),
  );
  const keys = [...new Set(found.flat())];
  expect(keys).toHaveLength(1);
  return keys[0] as string;
}

/** Sends a copy until it is answered by more than that it should be sent again. */
function copyOf(id: string, client: TestClient): Promise<object> {
  return eventually(`${id} is answered`, async () => {
    const answer = (await client.request('pay', id, { id })) as { readonly error?: object };
    return answer.error === undefined && answer;
  });
}

describe.each(FAILOVER_RIGS)('acked messages over a failover of %s', (_name, start) => {
  async function startAll(): Promise<{ rig: FailoverRig } & AckedNodes> {
    const rig = await start();
    return { rig, ...(await startTwo(() => ({ broker: new RedisBroker(rig.connection) }))) };
  }

  it('run once where a replica has their claims and answers, also those that run meanwhile', async () => {
    const { rig, script, a, b } = await startAll();
    const end = new Deferred<string>();
    script.method = (id) => (id === 'slow' ? end.promise : `paid ${id}`);
    const slow = b.request('pay', 'slow', { id: 'slow' });
    await eventually('it runs', async () => script.ran.length === 1);
    const key = await theKey(rig.servers);
    const answers = await Promise.all(MANY.map((id) => a.request('pay', id, { id })));
    await allReplicated(rig.servers);

    const old = await rig.kill(key);
    await rig.replaced(key, old);
    end.resolve('paid at last');
    const late = await slow;
    const copies = await Promise.all(MANY.map((id) => copyOf(id, b)));

    expect(copies).toEqual(answers);
    expect(late).toEqual({ ack: 'slow', data: 'paid at last' });
    expect(await copyOf('slow', a)).toEqual(late);
    expect([...script.ran].toSorted()).toEqual(['slow', ...MANY].toSorted());
  });

  // The negative control, and the promise as it is: an answer that no replica has dies with its master.
  it('run again where no replica has heard of them', async () => {
    const { rig, script, a, b } = await startAll();
    script.method = () => script.ran.length;
    const goOn = await cutReplicas(rig.servers);

    const first = await a.request('pay', 'm', { id: 'm' });
    const key = await theKey(rig.servers.filter(({ isRunning }) => isRunning));
    const old = await rig.kill(key);
    goOn();
    await rig.replaced(key, old);

    expect(first).toEqual({ ack: 'm', data: 1 });
    expect(await copyOf('m', b)).toEqual({ ack: 'm', data: 2 });
    expect(script.ran).toEqual(['m', 'm']);
  });
});

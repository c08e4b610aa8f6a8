import { beforeAll, describe, expect, it } from 'vitest';
import { ensureBuilt } from '../support/app-process.js';
import { RedisServer } from '../support/redis/redis-server.js';
import { ClusterProcess } from './cluster-rig.js';
import { MovingClient } from './moving-client.js';
import { startProxyWithout } from './sample-proxy.js';

/** Of both nodes together, which get as many each. */
const CLIENTS = 8;
const NAMES = Array.from({ length: CLIENTS }, (_, at) => `client ${at}`);

/** What passes the clients of a node on that refuses them. */
const PASSING_ON = {
  nginx: /^\s*proxy_next_upstream /,
  haproxy: /^\s*(retry-on|option httpchk|http-check|http-request disable-l7-retry) /,
} as const;

beforeAll(ensureBuilt, 120_000);

/** One after the other, so that the proxy knows who is where. */
async function openAll(origin: string): Promise<MovingClient[]> {
  const clients: MovingClient[] = [];
  for (const name of NAMES) clients.push(await MovingClient.open(origin, name));
  return clients;
}

describe.each(['nginx', 'haproxy'] as const)(
  'SIGTERM of a node of sample/03-chat-cluster behind %s',
  (proxy) => {
    it('moves its clients to the other one, and nobody is cut off', async () => {
      const cluster = await ClusterProcess.start({ proxy });
      const clients = await openAll(cluster.url.slice(0, -1));
      const [stopped = '', stays = ''] = cluster.nodes.keys();
      const before = clients.filter(({ node }) => node === stopped);

      cluster.signalNode(stopped, 'SIGTERM');
      await cluster.nodeEnded(stopped);

      expect(before).toHaveLength(CLIENTS / 2);
      expect(clients.map(({ states }) => states)).toEqual(clients.map(() => ['connecting', 'open']));
      expect(clients.map(({ node }) => node)).toEqual(clients.map(() => stays));
      expect(clients.flatMap(({ codes }) => codes)).toEqual(before.map(() => 1_000));
      await Promise.all(clients.map((client, at) => client.write(`${at}`)));
      const texts = clients.map((_, at) => `${at}`);
      for (const client of clients) {
        await expect.poll(() => client.texts.toSorted(), { timeout: 10_000 }).toEqual(texts);
      }
    });

    it('cuts off who is not passed on', async () => {
      const cluster = await ClusterProcess.start({ proxy });
      const [stopped = '', stays = ''] = cluster.nodes.keys();
      const clients = await openAll(await startProxyWithout(PASSING_ON[proxy], proxy, [stopped, stays]));

      cluster.signalNode(stopped, 'SIGTERM');
      await cluster.nodeEnded(stopped);

      expect(clients.flatMap(({ codes }) => codes)).toContain(1_012);
      expect(clients.flatMap(({ states }) => states)).toContain('waiting');
    });
  },
);

describe('the health check of haproxy', () => {
  it('keeps the sockets of nodes that are not ready, which it would cut if it took them for dead', async () => {
    const redis = await RedisServer.start();
    const cluster = await ClusterProcess.start({ proxy: 'haproxy', env: { REDIS_URL: redis.url } });
    const nodes = [...cluster.nodes.keys()];
    const clients = await openAll(cluster.url.slice(0, -1));
    const others = await openAll(await startProxyWithout(/^\s*http-check expect /, 'haproxy', nodes));

    redis.freeze();
    const stopping = nodes.map((node) => `Server chat/${node} is stopping`);
    await cluster.until(({ said }) => stopping.every((text) => said.some((line) => line.includes(text))));
    const cut = (): boolean => others.every(({ states }) => states.includes('waiting'));
    await expect.poll(cut, { timeout: 20_000 }).toBe(true);

    expect(clients.map(({ states }) => states)).toEqual(clients.map(() => ['connecting', 'open']));
    expect(clients.flatMap(({ codes }) => codes)).toEqual([]);
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TestClient } from 'nestjs-channels/testing';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { compileFolder, SampleProcess, temporaryFolder } from '../e2e/sample-process.js';
import { ensureBuilt } from '../support/app-process.js';
import { eventually } from '../support/redis/eventually.js';
import { RedisServer } from '../support/redis/redis-server.js';

/** Two starts of a process on a busy machine, and the lease of a claim. */
const TIMEOUT_MS = 60_000;

/** The lease is no longer than the window. */
const WINDOW_MS = 5_000;

beforeAll(ensureBuilt, 120_000);

/** Two nodes, each a process, that share a folder; the first hangs behind its effect. A client at each. */
async function startTwo(env: Readonly<Record<string, string>>) {
  const main = join(compileFolder('test/apps/till'), 'main.js');
  const folder = temporaryFolder();
  const node = (more: Readonly<Record<string, string>>): Promise<SampleProcess> =>
    new SampleProcess([main], { env: { TILL: folder, ...env, ...more } }).serves();
  const [a, b] = await Promise.all([node({ HANG: '1' }), node({})]);
  return {
    a,
    atA: await connect(a),
    atB: await connect(b),
    hangs: () => a.until(() => a.said.includes('A handler hangs.')),
    /** In which processes the handler has run. */
    runs: () => readFileSync(join(folder, 'runs'), 'utf8').trim().split('\n').map(Number),
  };
}

async function connect({ port }: SampleProcess): Promise<TestClient> {
  const client = await TestClient.connect(`ws://127.0.0.1:${port}/ws`, { timeoutMs: 20_000 });
  onTestFinished(() => client.terminate());
  await client.hello({ clientId: 'c'.repeat(22) });
  return client;
}

describe('a node that is killed while its handler runs', () => {
  it(
    'leaves the message to a copy at another node, which finds its effect',
    { timeout: TIMEOUT_MS },
    async () => {
      const server = await RedisServer.start();
      const env = { REDIS_URL: server.url, DEDUP_WINDOW_MS: `${WINDOW_MS}` };
      const { a, atA, atB, hangs, runs } = await startTwo(env);
      atA.request('pay', 7, { id: 'm' }).catch(() => undefined);
      await hangs();
      const copy = atB.request('pay', 7, { id: 'm' });
      await eventually('the copy waits', async () => {
        const [key] = (await server.run('keys', '*dedup*')) as string[];
        return key !== undefined && (await server.run('hexists', key, 'w')) === 1;
      });
      const before = runs();

      await a.kill();

      expect(await copy).toEqual({ ack: 'm', data: { amount: 7, by: before[0] } });
      expect([before.length, runs().length]).toEqual([1, 2]);
      expect(new Set(runs()).size).toBe(2);
    },
  );

  it('has run nothing alone where each node remembers for itself', { timeout: TIMEOUT_MS }, async () => {
    const { a, atA, atB, hangs, runs } = await startTwo({ DEDUP_WINDOW_MS: `${WINDOW_MS}` });
    atA.request('pay', 7, { id: 'm' }).catch(() => undefined);
    await hangs();

    await atB.request('pay', 7, { id: 'm' });
    // Or its shutdown would wait for the handler.
    await a.kill();

    expect(runs()).toHaveLength(2);
  });
});

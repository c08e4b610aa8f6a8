import { TestClient } from 'nestjs-channels/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { AppProcess, ensureBuilt } from '../support/app-process.js';
import { RedisServer } from '../support/redis/redis-server.js';

// Processes start, perhaps on a machine that has other work to do.
vi.setConfig({ testTimeout: 60_000 });

/** Connections of Ada at each node. */
const SOCKETS = 5;

/** What `controlTimeoutMs` is by default. */
const CONTROL_TIMEOUT_MS = 1_000;

interface Answer {
  readonly disconnected: number;
  readonly nodes: {
    readonly expected: number;
    readonly answered: number;
    readonly missing: readonly string[];
  };
  readonly ms: number;
}

interface Node {
  readonly app: AppProcess;
  readonly id: string;
  readonly ada: readonly TestClient[];
}

async function connect(app: AppProcess, user: string): Promise<TestClient> {
  const client = await TestClient.connect(`ws://127.0.0.1:${app.port}/ws?user=${user}`);
  onTestFinished(() => client.terminate());
  return client;
}

/** Processes with connections of Ada, and an operator at the first; one process for each prefix. */
async function start(...prefixes: readonly string[]): Promise<{ operator: TestClient; nodes: Node[] }> {
  ensureBuilt();
  const redis = await RedisServer.start();
  const nodes = await Promise.all(
    prefixes.map(async (PREFIX): Promise<Node> => {
      const app = await AppProcess.start('nodes', { REDIS_URL: redis.url, PREFIX });
      const ada = await Promise.all(Array.from({ length: SOCKETS }, () => connect(app, 'ada')));
      return { app, id: app.text('node') ?? '', ada };
    }),
  );
  const first = nodes[0] as Node;
  return { operator: await connect(first.app, 'operator'), nodes };
}

async function disconnectAda(operator: TestClient): Promise<Answer> {
  const { data } = await operator.request('disconnect', { principal: 'ada' });
  return data as Answer;
}

function closesOf(nodes: readonly Node[]): Promise<readonly number[]> {
  return Promise.all(nodes.flatMap(({ ada }) => ada.map(async (client) => (await client.closed).code)));
}

describe('three processes', () => {
  it('close the connections of a user everywhere within a second', async () => {
    const { operator, nodes } = await start('app', 'app', 'app');

    const startedAt = performance.now();
    const [answer, closes] = await Promise.all([disconnectAda(operator), closesOf(nodes)]);
    const ms = performance.now() - startedAt;

    expect(answer).toMatchObject({
      disconnected: 3 * SOCKETS,
      nodes: { expected: 3, answered: 3, missing: [] },
    });
    expect(new Set(closes)).toEqual(new Set([1000]));
    expect(ms).toBeLessThan(1_000);
  });

  it('name the one that stands still in time, and close what the others have', async () => {
    const { operator, nodes } = await start('app', 'app', 'app');
    const [first, frozen, third] = nodes as [Node, Node, Node];

    frozen.app.freeze();
    const startedAt = performance.now();
    const answering = disconnectAda(operator);
    await closesOf([first, third]);
    const closedAfterMs = performance.now() - startedAt;
    const answer = await answering;
    frozen.app.thaw();
    const late = await closesOf([frozen]);

    expect(answer).toMatchObject({
      disconnected: 2 * SOCKETS,
      nodes: { expected: 3, answered: 2, missing: [frozen.id] },
    });
    expect(closedAfterMs).toBeLessThan(1_000);
    expect(answer.ms).toBeGreaterThan(CONTROL_TIMEOUT_MS - 10);
    expect(answer.ms).toBeLessThan(CONTROL_TIMEOUT_MS + 500);
    // It does late what it was asked.
    expect(new Set(late)).toEqual(new Set([1000]));
  });

  // Negative control: what is closed is closed by the question, and by nothing else.
  it('leave those alone that are no nodes of theirs', async () => {
    const { operator, nodes } = await start('app', 'app', 'another');
    const [first, second, stranger] = nodes as [Node, Node, Node];

    const answer = await disconnectAda(operator);
    await closesOf([first, second]);
    const { data } = await (await connect(stranger.app, 'bob')).request('connections', { principal: 'ada' });

    expect(answer).toMatchObject({ disconnected: 2 * SOCKETS, nodes: { expected: 2, answered: 2 } });
    expect((data as { connections: unknown[] }).connections).toHaveLength(SOCKETS);
  });
});

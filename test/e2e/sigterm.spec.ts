import { TestClient } from 'nestjs-channels/testing';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { AppProcess, ensureBuilt } from '../support/app-process.js';
import { refusalOf } from '../support/refusals.js';

const SOCKETS = 1_000;
/** Below the backlog of a server's socket. */
const AT_ONCE = 100;
const IN_ROOM = 100;
const WORKING = 10;

async function connect(app: AppProcess, count: number): Promise<TestClient[]> {
  const clients: TestClient[] = [];
  onTestFinished(() => clients.forEach((client) => client.terminate()));
  while (clients.length < count) {
    const batch = Array.from({ length: Math.min(AT_ONCE, count - clients.length) }, () =>
      TestClient.connect(`ws://127.0.0.1:${app.port}/ws`, { timeoutMs: 10_000 }),
    );
    clients.push(...(await Promise.all(batch)));
  }
  return clients;
}

/** Asks until the answer shows that the application shuts down. */
async function askUntilDraining(client: TestClient): Promise<unknown> {
  for (;;) {
    const { error } = await client.request('echo');
    if (error) return error;
  }
}

beforeAll(ensureBuilt, 120_000);

describe('SIGTERM with 1,000 sockets open', () => {
  it('closes each with 1012 behind its acks, awaits handleDisconnect, and exits with 0 within 5 s', async () => {
    const app = await AppProcess.start('shutdown');
    const clients = await connect(app, SOCKETS);
    await Promise.all(clients.slice(0, IN_ROOM).map((client) => client.subscribe('room:lobby')));
    const answers = clients.slice(0, WORKING).map((client) => client.request('work'));
    await app.says('working', WORKING);

    const { code, ms } = await app.terminate();
    const closes = await Promise.all(clients.map((client) => client.closed));

    expect(closes.filter((close) => close.code === 1_012)).toHaveLength(SOCKETS);
    expect((await Promise.all(answers)).map(({ data }) => data)).toEqual(Array(WORKING).fill('done'));
    expect([app.number('disconnected'), app.number('left')]).toEqual([SOCKETS, IN_ROOM]);
    expect(code).toBe(0);
    expect(ms).toBeLessThan(5_000);
  }, 60_000);
});

describe('SIGTERM', () => {
  it('refuses connections, messages and subscriptions until running handlers have finished', async () => {
    const app = await AppProcess.start('shutdown', { DRAIN_WINDOW_MS: '0' });
    const [worker, other] = await connect(app, 2);
    const work = worker?.request('work');
    await app.says('working');
    const url = `ws://127.0.0.1:${app.port}/ws`;

    const exit = app.terminate();
    const refused = await askUntilDraining(other as TestClient);
    const subscription = await other?.subscribe('room:lobby');
    const plain = await refusalOf(TestClient.connect(url, { protocols: [] }));
    const ours = await refusalOf(TestClient.connect(url));

    expect(refused).toMatchObject({ code: 'unavailable', retryable: true });
    expect(subscription?.error).toMatchObject({ code: 'unavailable', retryable: true });
    for (const refusal of [plain, ours]) {
      expect(refusal).toMatchObject({
        statusCode: 503,
        body: { statusCode: 503, message: 'the server shuts down' },
      });
    }
    expect([(await work)?.data, (await exit).code]).toEqual(['done', 0]);
  });

  it('exits with 0 within 5 s, even if neither a handler nor handleDisconnect ever ends', async () => {
    const app = await AppProcess.start('shutdown');
    const [client] = await connect(app, 1);
    client?.send({ event: 'hang', id: 1 });
    await app.says('hanging');

    const { code, ms } = await app.terminate();

    expect((await client?.closed)?.code).toBe(1_012);
    expect(code).toBe(0);
    expect(ms).toBeLessThan(5_000);
  });
});

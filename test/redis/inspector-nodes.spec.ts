import { TestClient } from 'nestjs-channels/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { ConnectionList, NodeFigures } from '../../lib/inspector/figures.js';
import { AppProcess, ensureBuilt } from '../support/app-process.js';
import { RedisServer } from '../support/redis/redis-server.js';

// Processes start, perhaps on a machine that has other work to do.
vi.setConfig({ testTimeout: 90_000 });

/** Figures come once a second. */
const WAIT_MS = 20_000;

const CHANNEL = 'nestjs-channels:inspector:figures';

async function connect({ port }: AppProcess, path: string): Promise<TestClient> {
  const client = await TestClient.connect(`ws://127.0.0.1:${port}${path}`, { timeoutMs: WAIT_MS });
  onTestFinished(() => client.terminate());
  return client;
}

/** The next figures that fit. */
async function figuresOf(page: TestClient, fits: (figures: NodeFigures) => boolean): Promise<NodeFigures> {
  const frame = await page.waitFor((received: unknown) => {
    const { channel, data } = received as { channel?: string; data: NodeFigures };
    return channel === CHANNEL && fits(data);
  });
  return (frame as { data: NodeFigures }).data;
}

describe('the inspector of two processes on one Redis', () => {
  it('shows both, acts on both, and says which one is missing when it is killed', async () => {
    ensureBuilt();
    const redis = await RedisServer.start();
    const env = { REDIS_URL: redis.url, NODE_ENV: 'development' };
    const [one, two] = await Promise.all([
      AppProcess.start('inspected', env),
      AppProcess.start('inspected', env),
    ]);
    const [idOfOne, idOfTwo] = [one.text('node'), two.text('node') ?? ''];
    const ada = await connect(two, '/ws?user=ada');
    const page = await connect(one, '/inspector/ws');
    await page.subscribe(CHANNEL);

    const own = await figuresOf(page, ({ node }) => node === idOfOne);
    const other = await figuresOf(page, ({ node }) => node === idOfTwo);
    const { data } = await page.request('inspector.connections', { principal: 'ada' });
    const { connections, missing } = data as ConnectionList;
    const acted = await page.request('inspector.disconnect', { connectionId: connections[0]?.id });
    const { code } = await ada.closed;
    two.kill();
    const later = await figuresOf(page, (figures) => figures.missing.includes(idOfTwo));
    const list = await page.request('inspector.connections', {});

    expect([own.connections, own.watchers]).toEqual([1, 1]);
    expect([other.connections, other.watchers]).toEqual([1, 0]);
    expect(missing).toEqual([]);
    expect([acted.data, code]).toEqual([{ disconnected: 1, missing: [] }, 1000]);
    expect(later.node).toBe(idOfOne);
    expect(list.data).toMatchObject({ connections: [{ path: '/inspector/ws' }], missing: [idOfTwo] });
  });
});

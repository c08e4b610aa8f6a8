import { join } from 'node:path';
import { TestClient } from 'nestjs-channels/testing';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { ensureBuilt } from '../support/app-process.js';
import { withBrowser } from '../support/chromium.js';
import { POLL } from './chat-tab.js';
import { compileFolder, SampleProcess } from './sample-process.js';

vi.setConfig({ testTimeout: 60_000 });

beforeAll(ensureBuilt, 120_000);

function startSample(port?: number): Promise<SampleProcess> {
  return new SampleProcess([join(compileFolder('sample/05-metrics'), 'main.js')], { port }).serves();
}

async function connect({ port }: SampleProcess): Promise<TestClient> {
  const client = await TestClient.connect(`ws://127.0.0.1:${port}/ws`);
  onTestFinished(() => client.terminate());
  return client;
}

describe('sample/05-metrics', () => {
  it('tells how its server is, and tells who comes later what was before', async () => {
    const sample = await startSample();
    const first = await connect(sample);
    await first.subscribe('figures');

    await first.waitFor({ event: 'figures', data: { connections: 1 } });
    const second = await connect(sample);
    const joined = (await second.subscribe('figures')) as { data?: { data?: readonly unknown[] } };
    const { data } = await second.waitFor({ event: 'figures', data: { connections: 2 } });

    expect(joined.data?.data).toContainEqual(expect.objectContaining({ connections: 1 }));
    expect(data).toEqual({
      connections: 2,
      sentPerSecond: expect.any(Number),
      memoryMiB: expect.any(Number),
      loopLagMs: expect.any(Number),
    });
    const { memoryMiB, loopLagMs } = data as { memoryMiB: number; loopLagMs: number };
    expect(memoryMiB).toBeGreaterThan(10);
    expect(loopLagMs).toBeGreaterThan(0);
  });

  it('shows the figures on a page, which goes on when the server has been started again', async () => {
    const sample = await startSample();

    await withBrowser(async (browser) => {
      const page = await browser.newPage();
      await page.goto(sample.url);
      const figure = page.locator('article', { hasText: 'Connections' });
      const points = async (): Promise<number> =>
        ((await figure.locator('polyline').getAttribute('points')) ?? '').split(' ').length;
      await figure.getByText('1', { exact: true }).waitFor();
      await expect.poll(points, POLL).toBeGreaterThan(1);
      await page.getByText('Live').waitFor();

      await sample.kill();
      await page.getByText('Connection lost. Trying again …').waitFor();
      await startSample(sample.port);
      await page.getByText('Live').waitFor();
      await figure.getByText('1', { exact: true }).waitFor();
    });
  });
});

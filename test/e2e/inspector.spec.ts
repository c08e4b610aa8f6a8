import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ensureBuilt } from '../support/app-process.js';
import { launchChromium } from '../support/chromium.js';
import { InspectorTab, POLL, putLoadOn, startInspected, takePictures } from './inspector-rig.js';

// Pictures are taken, perhaps on a machine that has other work to do.
vi.setConfig({ testTimeout: 90_000 });

/** What a peer may call itself. */
const HOSTILE = '<img src=x onerror="document.title=1">';

const CHARTS = 4;

/** A browser that starts may take the processor for seconds. */
const PATIENT = { timeoutMs: 60_000 };

let browser: Browser;

beforeAll(async () => {
  ensureBuilt();
  browser = await launchChromium();
}, 120_000);

afterAll(() => browser.close());

describe('the inspector in a browser', () => {
  it('moves its figures and charts while a load runs', async () => {
    const app = await startInspected();
    const clients = await Promise.all(
      ['ada', 'bob', 'eve'].map((user) => app.connect(`/ws?user=${user}`, PATIENT)),
    );
    for (const client of clients) await client.subscribe('chat:lobby');
    const tab = await InspectorTab.open(browser, `http://127.0.0.1:${app.port}/inspector`);
    await expect.poll(() => tab.state(), POLL).toMatch(/^Connected$/);
    await expect.poll(() => tab.figure('Connections'), POLL).toBe(4);
    const before = await tab.drawn();

    const stop = putLoadOn(app, clients);
    await expect.poll(() => tab.figure('Messages in /s'), POLL).toBeGreaterThan(10);
    const lobby = tab.page.locator('#channels tr').filter({ hasText: 'chat:lobby' });
    await expect.poll(() => lobby.innerText(), POLL).toMatch(/chat:lobby\t3\t[1-9]/);
    for (let n = 0; n < 10; n++) await (await app.connect('/ws')).close();
    await expect
      .poll(async () => (await tab.drawn()).map((chart, at) => chart !== before[at]), POLL)
      .toEqual(Array.from({ length: CHARTS }, () => true));
    await takePictures(tab, 'load');
    await tab.page.emulateMedia({ colorScheme: 'dark' });
    await takePictures(tab, 'load-dark');
    await stop();

    // Its own frames go on.
    await expect.poll(() => tab.figure('Messages in /s'), POLL).toBeLessThan(2);
    expect(await tab.figure('Inspector pages')).toBe(1);
  });

  it('disconnects a peer once that is confirmed, and nobody where it is not', async () => {
    const app = await startInspected();
    const [ada, bob] = [await app.connect('/ws?user=ada'), await app.connect('/ws?user=bob')];
    const tab = await InspectorTab.open(browser, `http://127.0.0.1:${app.port}/inspector`);
    const row = tab.row('ada');

    await row.getByRole('button', { name: 'Disconnect' }).click();
    await tab.page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    expect((await ada.request('echo', 'still here')).data).toBe('still here');
    await row.getByRole('button', { name: 'Disconnect' }).click();
    expect(await tab.page.getByRole('dialog').innerText()).toContain('Disconnect ada');
    await takePictures(tab, 'confirm');
    await tab.page.getByRole('dialog').getByRole('button', { name: 'Disconnect' }).click();

    expect((await ada.closed).code).toBe(1000);
    await expect.poll(() => row.count(), POLL).toBe(0);
    await expect
      .poll(() => tab.page.locator('#notice-text').innerText(), POLL)
      .toBe('Connections closed: 1.');
    expect((await bob.request('echo', 1)).data).toBe(1);
  });

  it('revokes a user, whatever they call themselves', async () => {
    const app = await startInspected();
    const path = `/ws?user=${encodeURIComponent(HOSTILE)}`;
    const sockets = [await app.connect(path), await app.connect(path)];
    const tab = await InspectorTab.open(browser, `http://127.0.0.1:${app.port}/inspector`);
    const row = tab.row('img').first();

    await row.getByRole('button', { name: 'Revoke' }).click();
    await tab.page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();

    const closes = await Promise.all(sockets.map(({ closed }) => closed));
    expect(closes.map(({ code }) => code)).toEqual([4503, 4503]);
    expect(await tab.page.title()).toBe('Channels inspector');
    expect(await tab.page.locator('img').count()).toBe(0);
  });

  it('finds the connections of a user, and has no buttons for its own', async () => {
    const app = await startInspected();
    for (const user of ['ada', 'bob']) await app.connect(`/ws?user=${user}`);
    const tab = await InspectorTab.open(browser, `http://127.0.0.1:${app.port}/inspector`);
    const rows = tab.page.locator('#connections tr');
    await expect.poll(() => rows.count(), POLL).toBe(3);

    const own = await tab.row('olga (this page)').getByRole('button').count();
    await tab.page.getByLabel('User').fill('bob');
    await tab.page.getByRole('button', { name: 'Show' }).click();

    await expect.poll(() => rows.allInnerTexts(), POLL).toEqual([expect.stringContaining('bob')]);
    expect(own).toBe(0);
  });

  it('says that it is cut off, and comes back by itself', async () => {
    const app = await startInspected();
    const proxy = await app.proxy();
    const tab = await InspectorTab.open(browser, `${proxy.url().replace('ws', 'http')}inspector`);
    await expect.poll(() => tab.state(), POLL).toMatch(/^Connected$/);
    await expect.poll(() => tab.figure('Connections'), POLL).toBe(1);

    proxy.blackHole();
    proxy.reset();
    await expect.poll(() => tab.state(), POLL).toMatch(/^(Cut off, trying again within \d+ s|Connecting)$/);
    await expect.poll(() => tab.figure('Connections'), POLL).toBeNaN();
    await takePictures(tab, 'cut');
    proxy.heal();

    await expect.poll(() => tab.state(), POLL).toMatch(/^Connected$/);
    await expect.poll(() => tab.figure('Connections'), POLL).toBe(1);
  });

  it('shows nothing to somebody without the password', async () => {
    const app = await startInspected();
    const context = await browser.newContext();
    const [refused, page] = [await context.newPage(), await context.newPage()];

    const opened = refused.goto(`http://127.0.0.1:${app.port}/inspector`);
    await expect(opened).rejects.toThrow('ERR_INVALID_AUTH_CREDENTIALS');
    // Another page of the same host, with a script that somebody has put there.
    await page.goto(`http://127.0.0.1:${app.port}/nowhere`);
    const seen = await page.evaluate(
      `new Promise((resolve) => {
        const socket = new WebSocket('ws://127.0.0.1:${app.port}/inspector/ws', ['nestjs-channels.v1.json']);
        socket.onmessage = ({ data }) => resolve(data);
        socket.onclose = ({ code }) => resolve(code);
      })`,
    );
    await context.close();

    expect(seen).toBe(4501);
  });
});

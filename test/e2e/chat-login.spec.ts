import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureBuilt } from '../support/app-process.js';
import { launchChromium } from '../support/chromium.js';
import { ChatProcess } from './chat-rig.js';
import { ChatTab, comeBack, openBrowser, POLL } from './chat-tab.js';

const RECORD_CAUSES = `
  globalThis.causes = [];
  new MutationObserver(() => {
    const { textContent } = document.querySelector('#cause');
    if (textContent !== causes.at(-1)) causes.push(textContent);
  }).observe(document.querySelector('#cause'), { childList: true });`;

let browser: Browser;

beforeAll(async () => {
  ensureBuilt();
  browser = await launchChromium();
}, 120_000);

afterAll(() => browser.close());

describe('the line of the state of sample/01-chat', () => {
  it('tells a server that restarts from one that is lost', async () => {
    const chat = await ChatProcess.start();
    const tab = await (await ChatTab.open(await openBrowser(browser), chat)).logIn('Ann');
    await tab.page.evaluate(RECORD_CAUSES);

    await chat.stop();

    await expect.poll(() => tab.state(), POLL).toMatch(/^Offline Connection lost. Next try in/);
    expect(await tab.page.evaluate('causes')).toEqual(['The server is restarting.', 'Connection lost.']);
  });

  it('says so when the server wants no more connections, and tries again only when asked to', async () => {
    const chat = await ChatProcess.start();
    const tab = await ChatTab.open(await openBrowser(browser), chat);
    let attempts = 0;
    await tab.page.routeWebSocket('**/ws', async (socket) => {
      attempts += 1;
      if (attempts === 1) await socket.close({ code: 4_503 });
      else socket.connectToServer();
    });

    await tab.page.getByLabel('Your name').fill('Ann');
    await tab.click('Join');
    await expect.poll(() => tab.state(), POLL).toBe('Offline The server has closed the connection.');
    expect(attempts).toBe(1);
    await tab.click('Try now');

    await expect.poll(() => tab.state(), POLL).toBe('Connected');
  });
});

describe('the login of sample/01-chat in a browser', () => {
  it('tells why a name is refused, and when the server is away', async () => {
    const chat = await ChatProcess.start();
    const { page } = await ChatTab.open(await openBrowser(browser), chat);

    await page.getByLabel('Your name').fill('   ');
    await page.getByRole('button', { name: 'Join' }).click();
    await page.getByText('name must be a text of 1 to 32 characters').waitFor();
    await chat.kill();
    await page.getByRole('button', { name: 'Join' }).click();

    await page.getByText('The server cannot be reached.').waitFor();
    expect(await page.getByLabel('Your name').inputValue()).toBe('   ');
  });

  it('is repeated by the client when the server does not know the token any more', async () => {
    const chat = await ChatProcess.start({ env: { JWT_SECRET: 'the first' } });
    const ann = await (await ChatTab.open(await openBrowser(browser), chat)).logIn('Ann');
    await chat.kill();
    await expect.poll(() => ann.state(), POLL).toMatch(/^Offline/);
    await ann.write('Still me.');

    await ChatProcess.start({ port: chat.port, env: { JWT_SECRET: 'the second' } });
    await comeBack(ann);

    await expect.poll(() => ann.statusOf('Still me.'), POLL).toBe('Sent');
  });

  it('is repeated until it succeeds', async () => {
    const chat = await ChatProcess.start({ env: { JWT_SECRET: 'the first' } });
    const context = await openBrowser(browser);
    const ann = await (await ChatTab.open(context, chat)).logIn('Ann');
    await chat.kill();
    let logins = 0;
    await context.route('**/login', (route) => {
      logins += 1;
      return logins === 1 ? route.abort() : route.fallback();
    });

    await ChatProcess.start({ port: chat.port, env: { JWT_SECRET: 'the second' } });
    await comeBack(ann);

    expect(logins).toBe(2);
  });

  it('is asked for, with the reason, when the token that was made anew is refused as well', async () => {
    const chat = await ChatProcess.start();
    const context = await openBrowser(browser);
    let logins = 0;
    await context.route('**/login', (route) => {
      logins += 1;
      return route.fulfill({ json: { token: 'no.good.token' } });
    });
    const { page } = await ChatTab.open(context, chat);

    await page.getByLabel('Your name').fill('Ann');
    await page.keyboard.press('Enter');

    await page.getByText('The server does not accept your login any more.').waitFor();
    expect(await page.getByLabel('Your name').isVisible()).toBe(true);
    expect(logins).toBe(2);
    expect(await page.evaluate('sessionStorage.length')).toBe(0);
  });

  it('of somebody else sends nothing of what the one before left in the queue', async () => {
    const chat = await ChatProcess.start();
    const context = await openBrowser(browser);
    const tab = await (await ChatTab.open(context, chat)).logIn('Ann');
    await chat.kill();
    await expect.poll(() => tab.state(), POLL).toMatch(/^Offline/);
    await tab.write('A secret of Ann.');

    await tab.click('Log out');
    await ChatProcess.start({ port: chat.port });
    await tab.logIn('Ben');
    await tab.write('Hello from Ben.');

    await expect.poll(() => tab.statusOf('Hello from Ben.'), POLL).toBe('Sent');
    await tab.page.reload();
    await tab.message('Hello from Ben.').waitFor();
    expect(await tab.texts()).toEqual(['Hello from Ben.']);
  });

  it('is forgotten at the logout, together with its connection', async () => {
    const chat = await ChatProcess.start();
    const context = await openBrowser(browser);
    const opened = context.waitForEvent('page').then((page) => page.waitForEvent('websocket'));
    const tab = await (await ChatTab.open(context, chat)).logIn('Ann');
    const closed = (await opened).waitForEvent('close');

    await tab.click('Log out');

    await closed;
    await tab.page.reload();
    await tab.page.getByLabel('Your name').waitFor();
    expect(await tab.page.evaluate('sessionStorage.length')).toBe(0);
  });
});

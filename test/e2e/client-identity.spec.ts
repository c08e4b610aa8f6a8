import type { FaultProxy } from 'nestjs-channels/testing';
import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { launchChromium } from '../support/chromium.js';
import { goodTokens, startClientApp, type Desk } from '../support/client-app.js';
import { Tab } from '../support/client-tab.js';

let browser: Browser;
let context: BrowserContext;

beforeAll(async () => {
  browser = await launchChromium();
});

beforeEach(async () => {
  context = await browser.newContext();
  onTestFinished(() => context.close());
});

afterAll(() => browser.close());

describe('tabs of one browser', () => {
  it('never share an identity, loaded again and duplicated ones included', async () => {
    const { desk, pageUrl } = await startClientApp(goodTokens);
    const first = await Tab.open(context, pageUrl, 'ann');
    const second = await Tab.open(context, pageUrl, 'ann');
    await Tab.in(await second.duplicate(), 'ann');
    await first.page.reload();
    await Tab.in(first.page, 'ann');

    expect(desk.clientIds).toHaveLength(4);
    expect(new Set(desk.clientIds).size).toBe(4);
  });

  it('keep what they are out of every storage that a duplicate inherits', async () => {
    const { pageUrl } = await startClientApp(goodTokens);
    const { page } = await Tab.open(context, pageUrl, 'ann');

    const stored = await page.evaluate('[sessionStorage.length, localStorage.length, document.cookie, name]');

    expect(stored).toEqual([0, 0, '', '']);
  });

  it('keep their identity over a reconnect', async () => {
    const { app, desk } = await startClientApp(goodTokens);
    const proxy = await app.proxy();
    const tab = await Tab.open(context, pageOf(proxy), 'ann');

    proxy.reset();
    await tab.page.waitForFunction('states.includes("waiting closed_by_server")');
    await tab.until('open');

    expect(desk.clientIds).toHaveLength(2);
    expect(new Set(desk.clientIds).size).toBe(1);
  });

  it('go on sending and receiving in both after one was duplicated', async () => {
    const { desk, pageUrl } = await startClientApp(goodTokens);
    const tab = await Tab.open(context, pageUrl, 'ann');
    await tab.page.evaluate('sessionStorage.setItem("mark", "inherited")');

    const copy = await tab.duplicate();
    const duplicate = await Tab.in(copy, 'ann');
    await tab.say('from the first');
    await duplicate.say('from its duplicate');

    // Or it would be a new tab, and no duplicate.
    expect(await copy.evaluate('sessionStorage.getItem("mark")')).toBe('inherited');
    expect(await tab.outcomesOf('from the first')).toEqual([{ answer: 'heard from the first' }]);
    expect(await duplicate.outcomesOf('from its duplicate')).toEqual([
      { answer: 'heard from its duplicate' },
    ]);
    await tab.hears('from the first', 'from its duplicate');
    await duplicate.hears('from its duplicate');
    expect(await tab.states()).toEqual(['connecting requested', 'open welcomed']);
    expect(await duplicate.states()).toEqual(['connecting requested', 'open welcomed']);
    expect(new Set(desk.clientIds).size).toBe(2);
  });
});

describe('a page on which somebody else logs in', () => {
  it('sends nothing of what the first one has queued', async () => {
    const { desk, proxy, tab } = await annGoesOffline();

    await tab.logIn('bob');
    proxy.refuse = false;
    const outcomes = await tab.outcomesOf('secret 1', 'secret 2');
    await tab.say('from bob');
    const [bobs] = await tab.outcomesOf('from bob');

    expect(outcomes).toEqual([{ code: 'principal_changed' }, { code: 'principal_changed' }]);
    expect(bobs).toEqual({ answer: 'heard from bob' });
    expect(saidBy(desk)).toEqual(['ann: hello', 'bob: from bob']);
  });

  it('sends nothing of it after reset() either, and rejects it at once', async () => {
    const { desk, proxy, tab } = await annGoesOffline();

    await tab.page.evaluate('window.who = "bob"; client.reset()');
    const outcomes = await tab.outcomesOf('secret 1', 'secret 2');
    await tab.say('from bob');
    proxy.refuse = false;
    const [bobs] = await tab.outcomesOf('from bob');

    expect(outcomes).toEqual([{ code: 'principal_changed' }, { code: 'principal_changed' }]);
    expect(bobs).toEqual({ answer: 'heard from bob' });
    expect(saidBy(desk)).toEqual(['ann: hello', 'bob: from bob']);
    expect(new Set(desk.clientIds).size).toBe(2);
  });

  it('sends nothing of it after reset() on an open connection', async () => {
    const { desk, pageUrl } = await startClientApp(goodTokens, { maxInFlight: 1 });
    const tab = await Tab.open(context, pageUrl, 'ann');
    await tab.page.evaluate('void client.send("hang").catch(({ code }) => (outcomes.hang = { code }))');
    await desk.until(() => desk.dataOf('hang').length === 1);
    await tab.say('secret 1');

    await tab.page.evaluate('window.who = "bob"; client.reset()');
    const outcomes = await tab.outcomesOf('hang', 'secret 1');
    await tab.until('open');
    await tab.say('from bob');

    expect(outcomes).toEqual([{ code: 'principal_changed' }, { code: 'principal_changed' }]);
    expect(await tab.outcomesOf('from bob')).toEqual([{ answer: 'heard from bob' }]);
    expect(saidBy(desk)).toEqual(['bob: from bob']);
    expect(desk.dataOf('hang')).toHaveLength(1);
  });

  it('sends all of it where the same one comes back', async () => {
    const { desk, proxy, tab } = await annGoesOffline();

    proxy.refuse = false;
    const outcomes = await tab.outcomesOf('secret 1', 'secret 2');

    expect(outcomes).toEqual([{ answer: 'heard secret 1' }, { answer: 'heard secret 2' }]);
    expect(saidBy(desk)).toEqual(['ann: hello', 'ann: secret 1', 'ann: secret 2']);
  });
});

/** Who has said what, as the server has read it. */
function saidBy({ frames }: Desk): string[] {
  const messages = frames.filter(({ event }) => event === 'say');
  return messages.map(({ principal, data }) => `${principal}: ${String(data)}`);
}

/** The page comes through the proxy as well, so that it is of the origin that it connects to. */
function pageOf(proxy: FaultProxy): string {
  return proxy.url('/').replace('ws:', 'http:');
}

/** Ann has said hello, has lost the network, and has two messages in the queue. */
async function annGoesOffline(): Promise<{ desk: Desk; proxy: FaultProxy; tab: Tab }> {
  const { app, desk } = await startClientApp(goodTokens);
  const proxy = await app.proxy();
  const tab = await Tab.open(context, pageOf(proxy), 'ann');
  await tab.say('hello');
  await tab.outcomesOf('hello');
  proxy.refuse = true;
  proxy.reset();
  await tab.page.waitForFunction('states.includes("waiting closed_by_server")');
  await tab.say('secret 1', 'secret 2');
  return { desk, proxy, tab };
}

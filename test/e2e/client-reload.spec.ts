import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { launchChromium } from '../support/chromium.js';
import { closeShop, startShop } from '../support/shop-app.js';
import { ShopTab } from '../support/shop-tab.js';

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

const sold = (...items: readonly string[]): object[] =>
  items.map((data) => ({ event: 'order', data, answer: `sold ${data}` }));

describe('a page that is loaded again', () => {
  it('sends what was queued offline, once and in order, and is told the answers', async () => {
    const { shop, network, pageUrl } = await startShop();
    const tab = await ShopTab.open(context, pageUrl, 'ann');
    await tab.isOpen();
    network.cut();
    await tab.isOffline();
    await tab.order('a', 'b', 'c');

    const next = await tab.reload();
    await next.order('d');
    network.heal();

    expect(await next.settled(3)).toEqual(sold('a', 'b', 'c'));
    expect(await next.outcomesOf('d')).toEqual([{ answer: 'sold d' }]);
    expect(shop.effects).toEqual(['ann: a', 'ann: b', 'ann: c', 'ann: d']);
    expect(await next.stored()).toBe(0);
  });

  it('has the answers of what was in flight, and one effect of each', async () => {
    const { shop, pageUrl } = await startShop();
    const open = closeShop(shop);
    const tab = await ShopTab.open(context, pageUrl, 'ann');
    await tab.order('a', 'b');
    await shop.until(({ effects }) => effects.length === 1);

    const next = await tab.reload();
    await next.isOpen();
    open();

    expect(await next.settled(2)).toEqual(sold('a', 'b'));
    expect(shop.effects).toEqual(['ann: a', 'ann: b']);
  });

  it('has the stored answer of what was answered into the void', async () => {
    const { shop, proxy, network, pageUrl } = await startShop();
    const open = closeShop(shop);
    const tab = await ShopTab.open(context, pageUrl, 'ann');
    await tab.order('a');
    await shop.until(({ effects }) => effects.length === 1);
    proxy.blackHole();
    open();
    network.cut();
    proxy.heal();

    const next = await tab.reload();
    network.heal();

    expect(await next.settled(1)).toEqual(sold('a'));
    expect(shop.effects).toEqual(['ann: a']);
  });

  it('sends what waits behind a message that was in flight after it', async () => {
    const { shop, network, pageUrl } = await startShop({ maxInFlight: 1 });
    const open = closeShop(shop);
    const tab = await ShopTab.open(context, pageUrl, 'ann');
    await tab.order('a', 'b', 'c');
    await shop.until(({ effects }) => effects.length === 1);
    network.cut();
    open();

    const next = await tab.reload();
    network.heal();

    expect(await next.settled(3)).toEqual(sold('a', 'b', 'c'));
    expect(shop.effects).toEqual(['ann: a', 'ann: b', 'ann: c']);
  });

  it('loses nothing in twenty reloads', { timeout: 60_000 }, async () => {
    const { shop, pageUrl } = await startShop();
    let tab = await ShopTab.open(context, pageUrl, 'ann');
    const items = Array.from({ length: 20 }, (_, index) => `item ${index}`);

    for (const item of items) {
      await tab.holdsSlot();
      // Not waited for: the page ends at any point between the call and the answer.
      await tab.order(item, `${item} more`);
      tab = await tab.reload();
    }
    await tab.order('the last');
    await tab.outcomesOf('the last');
    // A page takes over one slot; one whose lock the browser was slow to give back is left to a later page.
    for (let more = 0; more < items.length && (await tab.stored()) > 0; more++) {
      tab = await tab.reload();
      await tab.order(`${more} pages later`);
      await tab.outcomesOf(`${more} pages later`);
    }

    const expected = items.flatMap((item) => [`ann: ${item}`, `ann: ${item} more`]);
    const effects = shop.effects.filter((effect) => !effect.endsWith('pages later'));
    expect(effects.toSorted()).toEqual([...expected, 'ann: the last'].toSorted());
    expect(await tab.stored()).toBe(0);
  });

  // Negative control: it is the storage that carries them over.
  it('loses what waits without a storage', async () => {
    const { shop, network, pageUrl } = await startShop();
    const prepare = 'settings = {}';
    const tab = await ShopTab.open(context, pageUrl, 'ann', prepare);
    network.cut();
    await tab.order('a');

    const next = await tab.reload({ prepare });
    network.heal();
    await next.order('b');
    await next.outcomesOf('b');

    expect(shop.effects).toEqual(['ann: b']);
  });

  it('tells expired for what is older than the window of the server, and sends the rest', async () => {
    const { shop, network, pageUrl } = await startShop({ maxInFlight: 1 });
    closeShop(shop);
    const tab = await ShopTab.open(context, pageUrl, 'ann');
    await tab.order('a', 'b');
    await shop.until(({ effects }) => effects.length === 1);
    network.cut();
    const isOld = 'const { now } = Date; Date.now = () => now() + 270_001';

    const next = await tab.reload({ prepare: isOld });
    closeShop(shop)();
    network.heal();

    expect(await next.settled(2)).toEqual([{ event: 'order', data: 'a', code: 'expired' }, ...sold('b')]);
    expect(shop.effects).toEqual(['ann: a', 'ann: b']);
  });

  it('tells expired where the clock was set back, since nobody knows how old it is', async () => {
    const { shop, network, pageUrl } = await startShop();
    closeShop(shop);
    const tab = await ShopTab.open(context, pageUrl, 'ann');
    await tab.order('a');
    await shop.until(({ effects }) => effects.length === 1);
    network.cut();
    const isSetBack = 'const { now } = Date; Date.now = () => now() - 3_600_000';

    const next = await tab.reload({ prepare: isSetBack });
    network.heal();

    expect(await next.settled(1)).toEqual([{ event: 'order', data: 'a', code: 'expired' }]);
  });

  it('goes on with the time that a message may take', async () => {
    const { shop, network, pageUrl } = await startShop();
    const tab = await ShopTab.open(context, pageUrl, 'ann');
    await tab.isOpen();
    network.cut();
    await tab.page.evaluate('order("a", { timeoutMs: 60_000 })');

    const next = await tab.reload({ prepare: 'const { now } = Date; Date.now = () => now() + 60_000' });

    expect(await next.settled(1)).toEqual([{ event: 'order', data: 'a', code: 'timeout' }]);
    expect(shop.effects).toEqual([]);
  });

  it('sends nothing of it when somebody else logs in, and what they send', async () => {
    const { shop, network, pageUrl } = await startShop();
    const tab = await ShopTab.open(context, pageUrl, 'ann');
    await tab.isOpen();
    network.cut();
    await tab.isOffline();
    await tab.order('secret');

    const next = await tab.reload({ who: 'bob' });
    await next.order('mine');
    network.heal();

    expect(await next.settled(1)).toEqual([{ event: 'order', data: 'secret', code: 'principal_changed' }]);
    expect(await next.outcomesOf('mine')).toEqual([{ answer: 'sold mine' }]);
    expect(shop.effects).toEqual(['bob: mine']);
  });

  it.each(['close', 'reset'])('has nothing of what %s() has rejected', async (call) => {
    const { network, pageUrl } = await startShop();
    const tab = await ShopTab.open(context, pageUrl, 'ann');
    await tab.isOpen();
    network.cut();
    await tab.order('a', 'b');
    expect(await tab.stored()).toBe(2);

    await tab.page.evaluate(`client.${call}()`);
    await tab.outcomesOf('a', 'b');

    expect(await tab.stored()).toBe(0);
  });
});

describe('tabs of one browser with a storage', () => {
  it('share neither messages nor identity', async () => {
    const { shop, network, pageUrl } = await startShop();
    const one = await ShopTab.open(context, pageUrl, 'ann');
    const other = await ShopTab.open(context, pageUrl, 'ann');
    await one.isOpen();
    await other.isOpen();
    network.cut();
    await one.order('a');
    await other.order('b');

    const [ones, others] = await Promise.all([one.reload(), other.reload()]);
    network.heal();

    expect(await ones.settled(1)).toEqual(sold('a'));
    expect(await others.settled(1)).toEqual(sold('b'));
    expect(shop.effects.toSorted()).toEqual(['ann: a', 'ann: b']);
  });

  it('leave a duplicate nothing of the first one', async () => {
    const { shop, network, pageUrl } = await startShop();
    const tab = await ShopTab.open(context, pageUrl, 'ann');
    await tab.isOpen();
    network.cut();
    await tab.order('a');
    const opened = context.waitForEvent('page');
    await tab.page.evaluate('void window.open(location.href)');
    const copy = await ShopTab.in(await opened, 'ann');
    await copy.isOffline();
    await copy.order('b');

    network.heal();

    expect(await tab.outcomesOf('a')).toEqual([{ answer: 'sold a' }]);
    expect(await copy.outcomesOf('b')).toEqual([{ answer: 'sold b' }]);
    expect(await copy.settled(0)).toEqual([]);
    expect(await copy.page.evaluate('Object.keys(sessionStorage).length')).toBe(1);
    expect(shop.effects.toSorted()).toEqual(['ann: a', 'ann: b']);
  });

  it.each(['closed', 'crashed'])('take over what a tab has left that was %s', async (how) => {
    const { shop, network, pageUrl } = await startShop();
    const tab = await ShopTab.open(context, pageUrl, 'ann');
    await tab.isOpen();
    network.cut();
    await tab.order('a', 'b');
    // Beside it, or the browser ends with its last page.
    const page = await context.newPage();
    if (how === 'closed') await tab.page.close();
    else {
      const crashed = tab.page.waitForEvent('crash');
      void tab.page.goto('chrome://crash').catch(() => undefined);
      await crashed;
    }

    await page.goto(pageUrl);
    const next = await ShopTab.in(page, 'ann');
    network.heal();

    expect(await next.settled(2)).toEqual(sold('a', 'b'));
    expect(shop.effects).toEqual(['ann: a', 'ann: b']);
  });
});

describe('a client whose storage fails', () => {
  it('tells a full one, and sends the message from memory', async () => {
    const { shop, network, pageUrl } = await startShop();
    const tab = await ShopTab.open(context, pageUrl, 'ann');
    await tab.isOpen();
    network.cut();
    await tab.page.evaluate('localStorage.setItem("x", "x".repeat(5 * 1024 * 1024 - 10))');

    await tab.order('a');
    const [told] = await tab.errors(1);
    network.heal();

    expect(told).toMatch(/^storage_failed .*QuotaExceededError/);
    expect(await tab.outcomesOf('a')).toEqual([{ answer: 'sold a' }]);
    expect(shop.effects).toEqual(['ann: a']);
  });

  it.each([
    ['no locks', `Object.defineProperty(navigator, 'locks', { value: undefined })`, /https/],
    [
      'no localStorage',
      `Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('denied', 'SecurityError'); } })`,
      /SecurityError: denied/,
    ],
  ])('goes on without one where there are %s', async (_what, prepare, told) => {
    const { pageUrl } = await startShop();
    const tab = await ShopTab.open(context, pageUrl, 'ann', prepare);

    await tab.order('a');

    expect(await tab.outcomesOf('a')).toEqual([{ answer: 'sold a' }]);
    expect(await tab.errors(1)).toEqual([expect.stringMatching(told)]);
  });

  it('drops what cannot be read, tells it, and sends the rest', async () => {
    const { shop, network, pageUrl } = await startShop();
    const tab = await ShopTab.open(context, pageUrl, 'ann');
    await tab.isOpen();
    network.cut();
    await tab.order('a', 'b', 'c');
    await tab.page.evaluate(`
      const damaged = Object.keys(localStorage).find((key) => localStorage[key].includes('"b"'));
      localStorage[damaged] = localStorage[damaged].slice(0, -5);`);

    const next = await tab.reload();
    network.heal();

    expect(await next.settled(2)).toEqual(sold('a', 'c'));
    expect(await next.errors(1)).toEqual([expect.stringMatching(/^storage_failed .*not JSON/)]);
    expect(shop.effects).toEqual(['ann: a', 'ann: c']);
    expect(await next.stored()).toBe(0);
  });
});

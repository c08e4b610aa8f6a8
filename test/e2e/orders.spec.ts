import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureBuilt } from '../support/app-process.js';
import { launchChromium } from '../support/chromium.js';
import { openBrowser, POLL } from './chat-tab.js';
import { AuctionProcess } from './orders-rig.js';
import { AuctionTab, takePictures } from './orders-tab.js';

const TIMEOUT_MS = 120_000;

let browser: Browser;

beforeAll(async () => {
  ensureBuilt();
  browser = await launchChromium();
}, 120_000);

afterAll(() => browser.close());

describe('sample/02-orders in a browser', { timeout: TIMEOUT_MS }, () => {
  it('brings what was bid on a line that was cut exactly once and in order, and what was missed', async () => {
    const auction = await AuctionProcess.start();
    const context = await openBrowser(browser);
    const [ann, ben] = [await AuctionTab.open(context, auction), await AuctionTab.open(context, auction)];
    await takePictures(ann, 'login');
    await ann.logIn('Ann Lee');
    await takePictures(ann, 'opening');
    await ben.logIn('Ben');
    await ann.bid(100);
    await expect.poll(() => ben.bids(), POLL).toEqual(['Ann Lee €100']);
    await ben.bid(110);
    await expect.poll(() => ann.bids(), POLL).toEqual(['Ben €110', 'You €100']);

    await ann.cut();
    await ann.bid(200);
    await ann.bid(210);
    await ann.bid(220);
    await ben.bid(120);
    await expect.poll(() => ben.bids(), POLL).toEqual(['You €120', 'You €110', 'Ann Lee €100']);
    const waiting = [200, 210, 220].map((amount) => `€${amount} Waits for the line`);
    expect([await ann.drafts(), await ann.bids()]).toEqual([waiting, ['Ben €110', 'You €100']]);
    await takePictures(ann, 'cut');
    await ann.mend();

    const all = [
      [220, 'Ann Lee'],
      [210, 'Ann Lee'],
      [200, 'Ann Lee'],
      [120, 'Ben'],
      [110, 'Ben'],
      [100, 'Ann Lee'],
    ] as const;
    const seenBy = (me: string) => all.map(([amount, who]) => `${who === me ? 'You' : who} €${amount}`);
    await expect.poll(() => ann.bids(), POLL).toEqual(seenBy('Ann Lee'));
    await expect.poll(() => ben.bids(), POLL).toEqual(seenBy('Ben'));
    expect([await ann.drafts(), await ann.notice()]).toEqual([[], 'Back. Bids that came meanwhile: 1.']);
    await takePictures(ann, 'back');
  });

  it('tells a bid that has become too low on its way', async () => {
    const auction = await AuctionProcess.start();
    const context = await openBrowser(browser);
    const ann = await (await AuctionTab.open(context, auction)).logIn('Ann');
    const ben = await (await AuctionTab.open(context, auction)).logIn('Ben');

    await ann.cut();
    await ann.bid(100);
    await ben.bid(150);
    await expect.poll(() => ben.bids(), POLL).toEqual(['You €150']);
    await ann.mend();

    await expect.poll(() => ann.drafts(), POLL).toEqual(['€100 Bid at least €160.']);
    expect([await ann.bids(), await ann.suggested()]).toEqual([['Ben €150'], '160']);
    await takePictures(ann, 'refused');
    await ann.click('Dismiss');
    expect(await ann.drafts()).toEqual([]);
  });

  it('keeps all bids over the death of its server, and sends what waited once', async () => {
    const auction = await AuctionProcess.start();
    const context = await openBrowser(browser);
    const ann = await (await AuctionTab.open(context, auction)).logIn('Zoë <b>');
    await ann.bid(100);
    await expect.poll(() => ann.bids(), POLL).toEqual(['You €100']);

    await auction.kill();
    await expect.poll(() => ann.state(), POLL).toMatch(/^Offline/);
    await ann.bid(110);
    await auction.restart();
    await ann.click('Try now');

    await expect.poll(() => ann.bids(), POLL).toEqual(['You €110', 'You €100']);
    expect(await ann.notice()).toBe('Back. The bids were loaded anew.');
    const eve = await (await AuctionTab.open(context, auction)).logIn('Eve');
    await expect.poll(() => eve.bids(), POLL).toEqual(['Zoë <b> €110', 'Zoë <b> €100']);
  });

  it('stays logged in over a reload, until the logout', async () => {
    const auction = await AuctionProcess.start();
    const ann = await (await AuctionTab.open(await openBrowser(browser), auction)).logIn('Ann');

    await ann.page.reload();
    await expect.poll(() => ann.state(), POLL).toBe('Connected');
    await ann.click('Log out');

    await ann.page.getByLabel('Your name').waitFor();
    expect(await ann.page.evaluate('sessionStorage.length')).toBe(0);
  });
});

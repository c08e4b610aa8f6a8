import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import { expect } from 'vitest';
import { ROOT } from '../support/repository.js';
import type { AuctionProcess } from './orders-rig.js';

const ARTIFACTS = join(ROOT, 'test-artifacts');
const DESKTOP = { width: 1_280, height: 800 };
const PHONE = { width: 390, height: 844 };

/** A tab of the auction, used as people use it. */
export class AuctionTab {
  private constructor(readonly page: Page) {}

  static async open(context: BrowserContext, { url }: AuctionProcess): Promise<AuctionTab> {
    const page = await context.newPage();
    await page.goto(url);
    return new AuctionTab(page);
  }

  async logIn(name: string): Promise<this> {
    await this.page.getByLabel('Your name').fill(name);
    await this.click('Join');
    await this.page.getByText('Connected', { exact: true }).waitFor();
    await this.page.getByText('opening price').or(this.page.getByText(/^by /)).waitFor();
    return this;
  }

  async bid(amount: number): Promise<void> {
    await this.page.getByLabel('Your bid in euros').fill(String(amount));
    await this.click('Bid');
  }

  async click(button: string): Promise<void> {
    await this.page.getByRole('button', { name: button, exact: true }).click();
  }

  /** Cuts the line, and waits until the page has noticed. */
  async cut(): Promise<void> {
    await this.click('Cut the line');
    await this.page.getByText('Offline', { exact: true }).waitFor();
  }

  async mend(): Promise<void> {
    await this.click('Mend the line');
    await this.page.getByText('Connected', { exact: true }).waitFor();
  }

  async state(): Promise<string> {
    return this.page.locator('#state').innerText();
  }

  async notice(): Promise<string> {
    return (await this.page.locator('#notice').textContent()) ?? '';
  }

  /** The bids in the list, from the newest to the oldest: `You €150`. */
  async bids(): Promise<string[]> {
    const rows = this.page.getByRole('list', { name: 'Bids', exact: true }).getByRole('listitem');
    return rows.evaluateAll((elements) =>
      elements.map((element) =>
        ['.bidder', '.sum'].map((part) => element.querySelector(part)?.textContent).join(' '),
      ),
    );
  }

  /** The bids that have no answer, or a refusal: `€150 Waits for the line`. */
  async drafts(): Promise<string[]> {
    const rows = this.page.getByRole('list', { name: 'Your bids without an answer' }).getByRole('listitem');
    return rows.evaluateAll((elements) =>
      elements.map((element) =>
        ['.sum', '.status'].map((part) => element.querySelector(part)?.textContent).join(' '),
      ),
    );
  }

  async suggested(): Promise<string> {
    return this.page.getByLabel('Your bid in euros').inputValue();
  }
}

/** Takes pictures for people to look at, on a phone and on a desktop, by day and by night. */
export async function takePictures({ page }: AuctionTab, name: string): Promise<void> {
  mkdirSync(ARTIFACTS, { recursive: true });
  for (const [device, size] of Object.entries({ phone: PHONE, desktop: DESKTOP })) {
    await page.setViewportSize(size);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      const path = join(ARTIFACTS, `orders-${name}-${device}-${colorScheme}.png`);
      await page.screenshot({ path, fullPage: true });
    }
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(size.width);
  }
  await page.setViewportSize(DESKTOP);
  await page.emulateMedia({ colorScheme: 'light' });
}

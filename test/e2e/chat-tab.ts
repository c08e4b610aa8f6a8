import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';
import { ROOT } from '../support/repository.js';
import type { SampleProcess } from './sample-process.js';

/** How long a page may take to show what has happened. */
export const POLL = { timeout: 10_000 };

const ARTIFACTS = join(ROOT, 'test-artifacts');
const DESKTOP = { width: 1_280, height: 800 };
const PHONE = { width: 390, height: 844 };
const LONG_WAIT_S = 20;

/** A browser of its own with a clock that can be moved, and without luck: every wait is the longest. */
export async function openBrowser(browser: Browser): Promise<BrowserContext> {
  const context = await browser.newContext({ viewport: DESKTOP });
  const errors: Error[] = [];
  context.on('weberror', (error) => errors.push(error.error()));
  onTestFinished(async () => {
    await context.close();
    if (errors[0]) throw errors[0];
  });
  await context.clock.install();
  await context.addInitScript('Math.random = () => 0.999;');
  return context;
}

/** Keeps every text that the line of the state has had, in the order in which they came. */
const RECORD_STATES = `
  globalThis.states = [];
  new MutationObserver(() => {
    const text = document.querySelector('#state')?.textContent;
    if (text && text !== states.at(-1)) states.push(text);
  }).observe(document, { childList: true, subtree: true });`;

/** A tab of the chat, used as people use it: with clicks and keys. */
export class ChatTab {
  private constructor(readonly page: Page) {}

  static async open(context: BrowserContext, { url }: SampleProcess): Promise<ChatTab> {
    const page = await context.newPage();
    await page.addInitScript(RECORD_STATES);
    await page.goto(url);
    return new ChatTab(page);
  }

  async logIn(name: string): Promise<this> {
    await this.page.getByLabel('Your name').pressSequentially(name);
    await this.page.keyboard.press('Enter');
    await this.page.getByText('Connected', { exact: true }).waitFor();
    return this;
  }

  async write(text: string): Promise<void> {
    await this.page.getByLabel('Message', { exact: true }).pressSequentially(text);
    await this.page.keyboard.press('Enter');
  }

  async click(button: string): Promise<void> {
    await this.page.getByRole('button', { name: button }).click();
  }

  async enter(room: string): Promise<void> {
    await this.page.getByRole('link', { name: room }).click();
  }

  message(text: string): Locator {
    return this.page.getByRole('listitem').filter({ hasText: text });
  }

  /** What the page says about a message of one's own, without the time. */
  async statusOf(text: string): Promise<string> {
    return this.message(text).locator('.status').innerText();
  }

  /** Whether a message can be seen without scrolling. */
  async isInView(text: string): Promise<boolean> {
    const [message, log] = [
      await this.message(text).boundingBox(),
      await this.page.getByRole('log').boundingBox(),
    ];
    if (!message || !log) return false;
    return message.y >= log.y && message.y + message.height <= log.y + log.height;
  }

  async texts(): Promise<string[]> {
    return this.page.locator('.message .text').allTextContents();
  }

  /** The line of the state, and what is said about an outage below it. */
  async state(): Promise<string> {
    const outage = this.page.locator('#outage');
    const said = (await outage.isVisible()) ? await outage.locator('p').innerText() : '';
    return `${await this.page.getByRole('status').innerText()} ${said}`.trim();
  }

  /** How long the page says that it will wait; 0 where it does not wait. */
  async countdown(): Promise<number> {
    return Number(/Next try in (\d+) s/.exec(await this.state())?.[1] ?? 0);
  }

  async states(): Promise<unknown> {
    return this.page.evaluate('states');
  }

  /** Moves the clock to the end of a wait that is not longer than this. Resolves with the wait that the page told. */
  async outwait(longestS: number): Promise<number> {
    const seconds = await this.countdown();
    if (seconds > 0 && seconds <= longestS) await this.page.context().clock.fastForward(seconds * 1_000);
    return seconds;
  }
}

/** Moves the clock from one attempt to the next until the page waits for long. */
export async function waitLong(tab: ChatTab): Promise<void> {
  await expect.poll(() => tab.outwait(LONG_WAIT_S), POLL).toBeGreaterThan(LONG_WAIT_S);
}

/** Moves the clock from one attempt to the next until the page, which has lost its server, is connected again. */
export async function comeBack(tab: ChatTab): Promise<void> {
  const attempt = async (): Promise<string> => {
    await tab.outwait(Infinity);
    return tab.state();
  };
  await expect.poll(() => tab.states(), POLL).toEqual(expect.arrayContaining(['Offline']));
  await expect.poll(attempt, POLL).toBe('Connected');
}

/** Takes pictures of the page for people to look at, on a phone and on a desktop. */
export async function takePictures({ page }: ChatTab, name: string): Promise<void> {
  mkdirSync(ARTIFACTS, { recursive: true });
  for (const [device, size] of Object.entries({ phone: PHONE, desktop: DESKTOP })) {
    await page.setViewportSize(size);
    await page.screenshot({ path: join(ARTIFACTS, `chat-${name}-${device}.png`) });
    const button = await page.locator('.primary:visible').boundingBox();
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(size.width);
    expect(button && button.y + button.height).toBeLessThanOrEqual(size.height);
  }
}

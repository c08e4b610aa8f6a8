import type { BrowserContext, Page } from 'playwright-core';
import type { Outcome } from './client-rig.js';

/** What a page does with the client: `who` is logged in, and each message leaves its outcome in `outcomes`. */
const SCRIPT = `
  window.states = [];
  window.said = [];
  window.outcomes = {};
  window.client = new channels.ChannelsClient('/ws', {
    token: () => window.who + '-good',
    minRetryDelayMs: 1,
    maxRetryDelayMs: 20,
  });
  client.on('$state', ({ name, reason }) => states.push(name + ' ' + reason));
  client.channel('desk:one').on('said', (text) => said.push(text));
  window.say = (text) => {
    const settle = (outcome) => (outcomes[text] = outcomes[text] ? 'settled twice' : outcome);
    client.send('say', text).then((answer) => settle({ answer }), ({ code }) => settle({ code }));
  };`;

/** A tab with a client of its own, and somebody who is logged in. */
export class Tab {
  private constructor(readonly page: Page) {}

  static async open(context: BrowserContext, url: string, who: string): Promise<Tab> {
    const page = await context.newPage();
    await page.goto(url);
    return Tab.in(page, who);
  }

  /** Starts the client of a page that is there. */
  static async in(page: Page, who: string): Promise<Tab> {
    await page.waitForFunction('window.channels');
    await page.evaluate(`window.who = ${JSON.stringify(who)};${SCRIPT}`);
    const tab = new Tab(page);
    await tab.until('open');
    return tab;
  }

  /** Duplicates the tab as a browser does: with a copy of its session storage. */
  async duplicate(): Promise<Page> {
    const opened = this.page.context().waitForEvent('page');
    await this.page.evaluate('void window.open(location.href)');
    return opened;
  }

  /** Somebody else, while the client cannot connect: resolves when no attempt for the one before is left. */
  async logIn(who: string): Promise<void> {
    const attempts = 'states.filter((state) => state.startsWith("connecting")).length';
    const before = await this.page.evaluate(`window.who = ${JSON.stringify(who)}; ${attempts}`);
    await this.page.waitForFunction(`${attempts} > ${String(before)}`);
  }

  async until(state: string): Promise<void> {
    await this.page.waitForFunction(`client.state.name === '${state}'`);
  }

  async say(...texts: readonly string[]): Promise<void> {
    await this.page.evaluate(`${JSON.stringify(texts)}.forEach(say)`);
  }

  /** How these messages have ended, once all of them have. */
  async outcomesOf(...texts: readonly string[]): Promise<Outcome[]> {
    await this.page.waitForFunction(`${JSON.stringify(texts)}.every((text) => outcomes[text])`);
    return this.page.evaluate(`${JSON.stringify(texts)}.map((text) => outcomes[text])`);
  }

  async hears(...texts: readonly string[]): Promise<void> {
    await this.page.waitForFunction(`${JSON.stringify(texts)}.every((text) => said.includes(text))`);
  }

  states(): Promise<string[]> {
    return this.page.evaluate('states');
  }
}

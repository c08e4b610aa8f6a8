import type { BrowserContext, Page } from 'playwright-core';

/** What the page before this one has left, as `$settled` tells it. */
export interface Settled {
  readonly event: string;
  readonly data: unknown;
  readonly answer?: unknown;
  readonly code?: string;
}

/** A tab of a shop, whose client keeps its queue in `localStorage`. */
export class ShopTab {
  private constructor(
    readonly page: Page,
    private readonly who: string,
  ) {}

  static async open(context: BrowserContext, url: string, who: string, prepare = ''): Promise<ShopTab> {
    const page = await context.newPage();
    await page.goto(url);
    return ShopTab.in(page, who, prepare);
  }

  /** @param prepare - a script that runs before the client is made; `settings` are options for it */
  static async in(page: Page, who: string, prepare = ''): Promise<ShopTab> {
    await page.waitForFunction('window.channels');
    await page.evaluate(`
      window.settings = { storage: new storage.LocalStorageQueue() };
      ${prepare};
      window.outcomes = {};
      window.settled = [];
      window.errors = [];
      window.seen = new Set();
      window.client = new channels.ChannelsClient('ws://127.0.0.1:' + location.search.slice(1) + '/ws', {
        token: '${who}-good',
        minRetryDelayMs: 1,
        maxRetryDelayMs: 20,
        ...settings,
      });
      client.on('$state', ({ name }) => seen.add(name));
      client.on('$error', ({ code, message }) => errors.push(code + ' ' + message));
      client.on('$settled', ({ event, data, answer, error }) =>
        settled.push({ event, data, ...(error ? { code: error.code } : { answer }) }));
      window.order = (item, options) => {
        const settle = (outcome) => (outcomes[item] = outcomes[item] ? 'settled twice' : outcome);
        client.send('order', item, options).then((answer) => settle({ answer }), ({ code }) => settle({ code }));
      };
      client.connect();`);
    return new ShopTab(page, who);
  }

  /** The page is loaded again, and the same one logs in, unless somebody else does. */
  async reload({ who = this.who, prepare = '' } = {}): Promise<ShopTab> {
    await this.page.reload();
    return ShopTab.in(this.page, who, prepare);
  }

  /** From here on what is ordered is stored. */
  async holdsSlot(): Promise<void> {
    await this.page.waitForFunction('navigator.locks.query().then(({ held }) => held.length > 0)');
  }

  async isOpen(): Promise<void> {
    await this.page.waitForFunction('client.state.name === "open"');
  }

  /** An attempt has failed, or the connection has ended. The wait itself is too short to be met. */
  async isOffline(): Promise<void> {
    await this.page.waitForFunction('seen.has("waiting")');
  }

  async order(...items: readonly string[]): Promise<void> {
    await this.page.evaluate(`${JSON.stringify(items)}.forEach((item) => order(item))`);
  }

  /** How these have ended in the page that has ordered them, once all of them have. */
  async outcomesOf(...items: readonly string[]): Promise<unknown[]> {
    await this.page.waitForFunction(`${JSON.stringify(items)}.every((item) => outcomes[item])`);
    return this.page.evaluate(`${JSON.stringify(items)}.map((item) => outcomes[item])`);
  }

  /** What was told of the messages of the page before, once so much was. */
  async settled(count: number): Promise<Settled[]> {
    await this.page.waitForFunction(`settled.length >= ${count}`);
    return this.page.evaluate('settled');
  }

  async errors(count: number): Promise<string[]> {
    await this.page.waitForFunction(`errors.length >= ${count}`);
    return this.page.evaluate('errors');
  }

  /** How many messages wait in the storage, of all pages. */
  stored(): Promise<number> {
    return this.page.evaluate('Object.keys(localStorage).length');
  }
}

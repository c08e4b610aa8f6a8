import type { QueueStorage, StoredMessage } from 'nestjs-channels/client';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { bundleForBrowser, STORAGE_SOURCE } from '../support/client-bundle.js';
import { launchChromium, servePage, type ServedPage } from '../support/chromium.js';
import { queueStorageContract } from './queue-storage.contract.js';

let browser: Browser;
let served: ServedPage;

beforeAll(async () => {
  const { code } = await bundleForBrowser(STORAGE_SOURCE, 'iife');
  served = await servePage(`<!doctype html><title>storage</title><script>${code}</script>`);
  browser = await launchChromium();
}, 60_000);

afterAll(async () => {
  await browser.close();
  await served.close();
});

queueStorageContract('LocalStorageQueue in Chromium', async () => {
  const context = await browser.newContext();
  onTestFinished(() => context.close());
  // A browser context ends with its last page.
  await context.newPage();
  let wallMs = 1_700_000_000_000;
  return {
    openPage: async () => {
      const page = await context.newPage();
      await page.goto(served.url);
      await page.evaluate(`
        Date.now = () => ${wallMs};
        window.storage = new channels.LocalStorageQueue();
        window.queues = [];`);
      return { storage: storageIn(page), end: () => page.close() };
    },
    pass: (ms) => (wallMs += ms),
  };
});

/** The storage of a page, from here. */
function storageIn(page: Page): QueueStorage {
  return {
    open: async () => {
      const { at, messages } = await page.evaluate<{ at: number; messages: StoredMessage[] }>(`
        storage.open((cause) => { throw cause; })
          .then((queue) => ({ at: queues.push(queue) - 1, messages: queue.messages }))`);
      const call = (method: string, argument: unknown): Promise<void> =>
        page.evaluate(`queues[${at}].${method}(${inScript(argument)})`);
      return {
        messages,
        save: (message) => call('save', message),
        remove: (id) => call('remove', id),
        close: () => call('close', undefined),
      };
    },
  };
}

/** A value as an expression. */
function inScript(value: unknown): string {
  const numbers = (_key: string, inner: unknown): unknown => (inner === Infinity ? '<Infinity>' : inner);
  return String(JSON.stringify(value, numbers)).replaceAll('"<Infinity>"', 'Infinity');
}

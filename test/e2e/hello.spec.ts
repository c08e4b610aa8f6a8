import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { createChannelsTestApp, type ChannelsTestApp } from 'nestjs-channels/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppModule } from '../../sample/00-hello/app.module.js';
import { launchChromium } from '../support/chromium.js';

const ARTIFACTS = fileURLToPath(new URL('../../test-artifacts/', import.meta.url));
const WIDTHS = [
  { name: 'desktop', width: 1_280, height: 800 },
  { name: 'phone', width: 390, height: 844 },
];

describe('sample/00-hello', () => {
  let browser: Browser;
  let app: ChannelsTestApp;

  beforeAll(async () => {
    mkdirSync(ARTIFACTS, { recursive: true });
    browser = await launchChromium();
    app = await createChannelsTestApp({ imports: [AppModule] });
  });

  afterAll(async () => {
    await browser.close();
    await app.close();
  });

  async function open(): Promise<Page> {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${app.port}/`);
    await page.getByText('You are in lobby.').waitFor();
    return page;
  }

  it('shows what one tab writes in both', async () => {
    const [writer, reader] = [await open(), await open()];

    await writer.getByLabel('Message').fill('hello from the other tab');
    await writer.getByRole('button', { name: 'Send' }).click();

    for (const tab of [writer, reader]) await tab.getByText('hello from the other tab').waitFor();
    for (const { name, width, height } of WIDTHS) {
      await reader.setViewportSize({ width, height });
      await reader.screenshot({ path: `${ARTIFACTS}hello-${name}.png` });
    }
    expect(await reader.locator('#messages li').count()).toBe(1);
  });

  it('says why it is closed', async () => {
    const page = await open();

    await app.channels.disconnect({ channel: 'chat:lobby' });

    await page.getByText('Closed (1000)').waitFor();
    expect(await page.getByRole('status').textContent()).toContain('Reload');
  });
});

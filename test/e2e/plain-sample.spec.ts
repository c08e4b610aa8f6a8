import { readFileSync } from 'node:fs';
import { createChannelsTestApp } from 'nestjs-channels/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { AppModule } from '../../sample/00-plain/app.module.js';
import { withBrowser } from '../support/chromium.js';

const read = (file: string): string =>
  readFileSync(new URL(`../../sample/00-plain/${file}`, import.meta.url), 'utf8');

describe('sample/00-plain', () => {
  it('answers a page of three lines without a client of ours', async () => {
    const app = await createChannelsTestApp({ imports: [AppModule] });
    onTestFinished(() => app.close());

    const [said, protocol] = await withBrowser(async (browser) => {
      const page = await browser.newPage();
      await page.goto(`http://127.0.0.1:${app.port}/`);
      await page.getByText('Hello, Ann!').waitFor();
      return [await page.getByRole('status').textContent(), await page.evaluate('socket.protocol')];
    });

    expect([said, protocol]).toEqual(['Hello, Ann!', '']);
  });

  it('has a gateway that imports nothing but Nest, and a script of three lines', () => {
    const imported = [...read('greeting.gateway.ts').matchAll(/from '(.+)'/g)].map(([, name]) => name);
    const script = /<script>\s*(.*?)\s*<\/script>/s.exec(read('index.html'))?.[1]?.split('\n');

    expect(imported).toEqual(['@nestjs/websockets']);
    expect(script).toHaveLength(3);
  });
});

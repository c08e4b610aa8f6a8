import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Injectable, UnauthorizedException, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { ChannelsInspectorModule } from 'nestjs-channels/inspector';
import type { ChannelsTestApp, TestClient } from 'nestjs-channels/testing';
import type { Browser, Locator, Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';
import { RoomGateway, UserGuard } from '../inspector/operators.js';
import { ROOT } from '../support/repository.js';
import { startApp } from '../support/start-app.js';

/** How long a page may take to show what has happened. */
export const POLL = { timeout: 30_000 };

const ARTIFACTS = join(ROOT, 'test-artifacts');
const SIZES = { desktop: { width: 1_280, height: 900 }, phone: { width: 390, height: 844 } };
const PAUSE_MS = 10;
const PASSWORD = { username: 'olga', password: 'secret' };

interface Request {
  readonly headers: Readonly<Record<string, string | undefined>>;
  user?: unknown;
}

/** Asks for a password as browsers know it: they send it with the page and with its socket. */
@Injectable()
class PasswordGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const http = context.switchToHttp();
    const request = http.getRequest<Request>();
    if (request.headers['authorization'] === `Basic ${btoa('olga:secret')}`) {
      request.user = { id: 'olga' };
      return true;
    }
    const response = http.getResponse<{ header(name: string, value: string): void }>();
    response.header('WWW-Authenticate', 'Basic realm="inspector"');
    throw new UnauthorizedException();
  }
}

/** An application whose inspector wants a password. */
export function startInspected(): Promise<ChannelsTestApp> {
  return startApp({
    imports: [ChannelsInspectorModule.forRoot({ guards: [PasswordGuard] })],
    providers: [RoomGateway, UserGuard],
  });
}

/** The page of the inspector, used as people use it. Whatever it complains of fails the test. */
export class InspectorTab {
  private constructor(readonly page: Page) {}

  static async open(browser: Browser, url: string): Promise<InspectorTab> {
    const context = await browser.newContext({ httpCredentials: PASSWORD, viewport: SIZES.desktop });
    const complaints: string[] = [];
    context.on('weberror', (error) => complaints.push(error.error().message));
    context.on('console', (message) => {
      // A line that is cut is what some tests are about.
      const isOfLine = message.text().includes('WebSocket connection');
      if (message.type() === 'error' && !isOfLine) complaints.push(message.text());
    });
    onTestFinished(async () => {
      await context.close();
      if (complaints.length > 0) throw new Error(complaints.join('\n'));
    });
    const page = await context.newPage();
    await page.goto(url);
    return new InspectorTab(page);
  }

  /** The line of the state. */
  state(): Promise<string> {
    return this.page.getByRole('status').innerText();
  }

  /** A figure at the top of the page; NaN while there is none. */
  async figure(label: string): Promise<number> {
    const tile = this.page.locator('#now div').filter({ has: this.page.getByText(label, { exact: true }) });
    return Number.parseFloat(await tile.locator('dd').innerText());
  }

  row(text: string): Locator {
    return this.page.getByRole('row').filter({ hasText: text });
  }

  /** What is drawn, as pictures. */
  drawn(): Promise<readonly string[]> {
    return this.page.evaluate(`[...document.querySelectorAll('canvas')].map((canvas) => canvas.toDataURL())`);
  }

  widestChart(): Promise<number> {
    return this.page.evaluate(
      `Math.max(...[...document.querySelectorAll('.uplot')].map((chart) => chart.clientWidth))`,
    );
  }
}

/** Takes pictures for people to look at, and sees that nothing is wider than the screen. */
export async function takePictures(tab: InspectorTab, name: string): Promise<void> {
  const { page } = tab;
  mkdirSync(ARTIFACTS, { recursive: true });
  for (const [device, size] of Object.entries(SIZES)) {
    await page.setViewportSize(size);
    // Charts follow the size in a frame of their own.
    await expect.poll(() => tab.widestChart(), POLL).toBeLessThan(size.width);
    await page.screenshot({
      path: join(ARTIFACTS, `inspector-${name}-${device}.png`),
      fullPage: name !== 'confirm',
    });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(size.width);
  }
  await page.setViewportSize(SIZES.desktop);
}

/** Peers that send, and a channel that publishes, until the test ends or what this gives is called. */
export function putLoadOn(app: ChannelsTestApp, clients: readonly TestClient[]): () => Promise<void> {
  const ended = new AbortController();
  const running = clients.map(async (client) => {
    for (let n = 0; !ended.signal.aborted; n++) {
      await client.request('echo', n);
      await app.channels.publish('chat:lobby', 'said', n);
      // The rates of a connection are not what is tested.
      await setTimeout(PAUSE_MS);
    }
  });
  const stop = async (): Promise<void> => {
    ended.abort();
    await Promise.all(running);
  };
  onTestFinished(stop);
  return stop;
}

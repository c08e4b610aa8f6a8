import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium } from '../support/chromium.js';
import { goodTokens, startClientApp } from '../support/client-app.js';
import { bundleForBrowser, CLIENT_SOURCE } from '../support/client-bundle.js';
import { moduleUrl, runModule, runtimesFor } from '../support/client-runtime.js';
import { startStockApp } from '../support/client-stock-app.js';
import { RecordingObserver } from '../support/recording-observer.js';

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});

afterAll(() => browser.close());

const runtimes = runtimesFor(() => browser);

describe.each(runtimes.map((runtime) => [runtime.name, runtime] as const))(
  'the client in %s',
  (_name, runtime) => {
    it('refreshes its token once, joins, sends, hears, is refused and closes', async () => {
      const observer = new RecordingObserver();
      const { app, pageUrl, desk } = await startClientApp(goodTokens, { observers: [observer] });

      const told = await runtime.run('converse', { url: app.url('/ws'), pageUrl });
      await observer.until(({ closes }) => closes.length === 1);

      expect(told).toEqual({
        tokens: [false, true],
        states: [
          'connecting requested',
          'connecting token_refused 4501',
          'open welcomed',
          'closed close_called',
        ],
        joined: 'welcome',
        answers: ['heard one', 'heard two', 'heard grüße 👋'],
        said: ['one', 'two', 'grüße 👋'],
        refused: {
          name: 'ChannelsClientError',
          code: 'bad_request',
          details: expect.objectContaining({
            message: ['text must be a string', 'n must be an integer number'],
          }),
        },
        cut: { name: 'ChannelsClientError', code: 'closed' },
      });
      expect(observer.closes).toMatchObject([{ code: 1000 }]);
      expect(desk.frames.every(({ principal }) => principal === 'ann')).toBe(true);
      expect((await app.channels.subscribers('desk:one')).subscribers).toEqual([]);
    });

    it('stays away with 4501 when the refreshed token is no good either', async () => {
      const { app, pageUrl, desk } = await startClientApp(goodTokens);

      const told = await runtime.run('intrude', { url: app.url('/ws'), pageUrl });

      expect(told).toEqual({
        tokens: [false, true],
        refused: { name: 'ChannelsClientError', code: 'closed', closeCode: 4501 },
        state: { name: 'closed', reason: 'closed_by_server', code: 4501 },
      });
      expect(desk.frames).toEqual([]);
    });

    it('comes back after a connection that broke, and after one that was closed', async () => {
      const { app, pageUrl, desk } = await startClientApp(goodTokens);

      const told = await runtime.run('comeBack', { url: app.url('/ws'), pageUrl });

      expect(told).toEqual({
        states: [
          'connecting requested',
          'open welcomed',
          'waiting closed_by_server 1006',
          'connecting retry',
          'open welcomed',
          'waiting closed_by_server 4000',
          'connecting retry',
          'open welcomed',
          'closed close_called',
        ],
        answers: ['heard one', 'heard two', 'heard three'],
      });
      expect(desk.dataOf('say')).toEqual(['one', 'two', 'three']);
    });

    it('waits for its next attempt as soon as nobody answers', async () => {
      const { app, pageUrl } = await startClientApp(goodTokens);
      const proxy = await app.proxy();
      proxy.refuse = true;

      // Where the socket says nothing, the time to connect is what ends it.
      const connectTimeoutMs = runtime.losesResets ? 2_000 : 600_000;
      const told = await runtime.run('callNobody', { url: proxy.url('/ws'), pageUrl, connectTimeoutMs });

      expect(told).toMatchObject({ reason: 'connect_failed', failures: 1 });
    });

    it("talks to a gateway behind the stock adapter, given server: 'plain'", async () => {
      const stock = await startStockApp();

      const told = await runtime.run('talkPlainly', stock);

      expect(told).toEqual({
        answers: ['undefined', 'undefined', 'undefined'],
        replies: [1, 2, 3],
        state: { name: 'closed', reason: 'close_called' },
      });
      expect(stock.received()).toEqual([1, 2, 3]);
    });

    it('names that option when the stock adapter does not answer $hello', async () => {
      const stock = await startStockApp();

      const told = await runtime.run('talkInVain', stock);

      expect(told).toEqual({
        code: 'connect_failed',
        message: expect.stringContaining("{ server: 'plain' }"),
      });
    });
  },
);

describe('the client in Node without a WebSocket', () => {
  it('refuses to be made and names the option', async () => {
    const lib = moduleUrl((await bundleForBrowser(CLIENT_SOURCE)).code);

    const error = await runModule(
      ['--no-experimental-websocket'],
      `const { ChannelsClient } = await import('${lib}');
      try {
        new ChannelsClient('ws://127.0.0.1/');
        process.stdout.write(JSON.stringify({ name: 'none' }));
      } catch ({ name, message }) {
        process.stdout.write(JSON.stringify({ name, message, global: typeof WebSocket }));
      }`,
    );

    expect(error).toEqual({
      name: 'TypeError',
      message: expect.stringContaining('{ WebSocket }'),
      global: 'undefined',
    });
  });
});

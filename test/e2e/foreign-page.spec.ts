import { WebSocketGateway } from '@nestjs/websockets';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { launchChromium, servePage } from '../support/chromium.js';
import { WhoamiGateway } from '../support/guarded-gateway.js';
import { recordRefusals } from '../support/refusals.js';
import { startApp } from '../support/start-app.js';

@WebSocketGateway({ path: '/ws' })
class Gateway extends WhoamiGateway {}

/** Says how a socket of a page fares: its messages are what an attacker would read. */
const KNOCK = `(url, protocols) => new Promise((resolve) => {
  const socket = new WebSocket(url, protocols);
  socket.onopen = () => socket.send('{"event":"whoami","id":1}');
  socket.onmessage = ({ data }) => resolve('answered');
  socket.onclose = ({ code }) => resolve(code);
})`;

describe('a page in Chromium', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser.close());

  /** How a page there fares at a server, plain and with our subprotocol. */
  async function knock(pageUrl: string, url: string): Promise<unknown[]> {
    const page = await browser.newPage();
    onTestFinished(() => page.close());
    await page.goto(pageUrl);
    const attempt = (protocols: readonly string[]): Promise<unknown> =>
      page.evaluate(`(${KNOCK})(${JSON.stringify(url)}, ${JSON.stringify(protocols)})`);
    return [await attempt([]), await attempt(['nestjs-channels.v1.json'])];
  }

  it('on a listed port is answered, and on a foreign one refused before the upgrade', async () => {
    const [listed, foreign] = [await servePage('<p>listed'), await servePage('<p>foreign')];
    onTestFinished(() => Promise.all([listed.close(), foreign.close()]).then(() => undefined));
    const { observer, refusals } = recordRefusals();
    const origin = new URL(listed.url).origin;
    const app = await startApp({
      providers: [Gateway],
      channels: { allowedOrigins: [origin], observers: [observer] },
    });
    const byName = listed.url.replace('127.0.0.1', 'localhost');

    const fates = [await knock(listed.url, app.url('/ws')), await knock(foreign.url, app.url('/ws'))];

    // 1006 and nothing else: not even our close code, which would tell a foreign page that it is ours.
    expect(fates).toEqual([
      ['answered', 'answered'],
      [1006, 1006],
    ]);
    expect(await knock(byName, app.url('/ws'))).toEqual([1006, 1006]);
    expect(refusals.map(({ reason, status }) => `${reason} ${status}`)).toEqual(
      Array.from({ length: 4 }, () => 'origin 403'),
    );
  });

  it('of another port is foreign without a list, and so is a frame in a sandbox', async () => {
    const foreign = await servePage('<p>foreign');
    onTestFinished(() => foreign.close());
    const { observer, refusals } = recordRefusals();
    const app = await startApp({ providers: [Gateway], channels: { observers: [observer] } });
    // Not our page: whatever HTTP answers there is of the same origin as the server.
    const own = `http://127.0.0.1:${app.port}/nothing`;
    const page = await browser.newPage();
    onTestFinished(() => page.close());
    await page.goto(own);
    const sandboxed = await page.evaluate(`new Promise((resolve) => {
      const frame = document.createElement('iframe');
      frame.sandbox = 'allow-scripts';
      frame.srcdoc = '<script>(' + ${JSON.stringify(KNOCK)} + ')("${app.url('/ws')}").then((fate) => parent.postMessage(fate, "*"))</script>';
      addEventListener('message', ({ data }) => resolve(data));
      document.body.append(frame);
    })`);

    expect(sandboxed).toBe(1006);
    expect(await knock(own, app.url('/ws'))).toEqual(['answered', 'answered']);
    expect(await knock(foreign.url, app.url('/ws'))).toEqual([1006, 1006]);
    expect(refusals[0]?.advice).toBe('allowedOrigins: ["null"]');
  });
});

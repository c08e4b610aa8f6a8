import { Controller, Get, Header, HttpException, Injectable } from '@nestjs/common';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { OnHandshake, SubscribeChannel, TokenHandshakeGuard, UseHandshakeGuards } from 'nestjs-channels';
import { createChannelsTestApp, type ChannelsTestApp } from 'nestjs-channels/testing';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { launchChromium, servePage } from '../support/chromium.js';
import { WhoamiGateway, type HandshakeResponse } from '../support/guarded-gateway.js';
import { recordRefusals } from '../support/refusals.js';

const OURS = 'nestjs-channels.v1.json';

/** What a page without any client of ours writes; the token goes where a browser can put one. */
const SCRIPT = `
  const log = { protocol: '', received: [], close: undefined };
  const base64url = (text) => btoa(text).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
  const bearer = (token) => 'nestjs-channels.bearer.' + base64url(token);
  function open(url, protocols) {
    window.socket = new WebSocket(url, protocols);
    socket.onopen = () => (log.protocol = socket.protocol);
    socket.onmessage = ({ data }) => log.received.push(JSON.parse(data));
    socket.onclose = ({ code, reason, wasClean }) => (log.close = { code, reason, wasClean });
  }`;
const PAGE = `<!doctype html><title>page</title><script>${SCRIPT}</script>`;

@Controller()
class PageController {
  @Get()
  @Header('content-type', 'text/html; charset=utf-8')
  page(): string {
    return PAGE;
  }

  /** All that somebody writes who has read about WebSockets and about Nest. */
  @Get('three-lines')
  @Header('content-type', 'text/html; charset=utf-8')
  threeLines(): string {
    return `<!doctype html><p id="answer"></p><script>
      const socket = new WebSocket(location.origin.replace('http', 'ws') + '/stock');
      socket.onopen = () => socket.send(JSON.stringify({ event: 'greet', data: 'Ann' }));
      socket.onmessage = ({ data }) => (document.getElementById('answer').textContent = data);
    </script>`;
  }
}

@Injectable()
class TestTokenGuard extends TokenHandshakeGuard {
  authenticate(token: string): object | null {
    return token === 'good/token+' ? { sub: 'ann' } : null;
  }
}

@WebSocketGateway({ path: '/chat' })
@UseHandshakeGuards(TestTokenGuard)
class ChatGateway extends WhoamiGateway {
  @SubscribeChannel('chat:{room}')
  join(): string {
    return 'welcome';
  }
}

@WebSocketGateway({ path: '/busy' })
class BusyGateway {
  @OnHandshake()
  refuse(_request: unknown, response: HandshakeResponse): never {
    response.setHeader('Retry-After', '7');
    throw new HttpException('busy', 429);
  }
}

@WebSocketGateway({ path: '/stock' })
class StockGateway {
  @SubscribeMessage('greet')
  greet(@MessageBody() name: string): object {
    return { event: 'greeting', data: `Hello, ${name}!` };
  }
}

describe('a page in Chromium', () => {
  const { observer, refusals } = recordRefusals();
  let browser: Browser;
  let app: ChannelsTestApp;
  let page: Page;

  beforeAll(async () => {
    browser = await launchChromium();
    app = await createChannelsTestApp({
      imports: [{ module: class PageModule {}, controllers: [PageController] }],
      providers: [ChatGateway, BusyGateway, StockGateway],
      channels: { observers: [observer] },
      configure: (nest) => nest.useLogger(false),
    });
  });

  beforeEach(async () => {
    page = await browser.newPage();
    onTestFinished(() => page.close());
  });

  afterAll(async () => {
    await browser.close();
    await app.close();
  });

  const home = (path = '/'): string => `http://127.0.0.1:${app.port}${path}`;
  const open = (path: string, protocols: string): Promise<unknown> =>
    page.evaluate(`open(${JSON.stringify(app.url(path))}, ${protocols})`);

  it('connects with its token, subscribes and gets a publication', async () => {
    await page.goto(home());

    await open('/chat', `['${OURS}', bearer('good/token+')]`);
    await page.waitForFunction('log.protocol !== ""');
    await page.evaluate(`socket.send('{"event":"whoami","id":"a"}')`);
    await page.waitForFunction('log.received.length === 1');
    await page.evaluate(`socket.send('{"event":"$subscribe","id":"b","data":{"channel":"chat:lobby"}}')`);
    await page.waitForFunction('log.received.length === 2');
    await app.channels.publish('chat:lobby', 'message', { text: 'grüße' });
    await page.waitForFunction('log.received.length === 3');

    expect(await page.evaluate('log')).toMatchObject({
      protocol: OURS,
      received: [
        { ack: 'a', data: { principal: 'ann' } },
        { ack: 'b', data: { channel: 'chat:lobby', data: 'welcome' } },
        { channel: 'chat:lobby', event: 'message', data: { text: 'grüße' } },
      ],
    });
  });

  it.each([
    ['a wrong token', '/chat', `['${OURS}', bearer('bad')]`, 4501, ''],
    ['no token', '/chat', `['${OURS}']`, 4501, ''],
    ['a path without a gateway', '/nowhere', `['${OURS}']`, 4504, ''],
    ['a version that is not spoken', '/chat', `['nestjs-channels.v9.json']`, 4506, expect.any(String)],
    ['too many handshakes', '/busy', `['${OURS}']`, 4429, '{"retryAfterMs":7000}'],
  ])('sees the code of a refusal for %s', async (_what, path, protocols, code, reason) => {
    await page.goto(home());

    await open(path, protocols);
    await page.waitForFunction('log.close');

    expect(await page.evaluate('log')).toMatchObject({
      received: [],
      close: { code, reason, wasClean: true },
    });
  });

  it('sees no code of a refusal when it has offered none of our subprotocols', async () => {
    await page.goto(home());

    await open('/chat', '[]');
    await page.waitForFunction('log.close');

    expect(await page.evaluate('log.close')).toEqual({ code: 1006, reason: '', wasClean: false });
    expect(refusals.at(-1)).toMatchObject({ status: 401, url: '/chat' });
  });

  it('of a foreign port cannot connect, and the server has answered 403', async () => {
    const foreign = await servePage(PAGE);
    onTestFinished(() => foreign.close());
    await page.goto(foreign.url);

    await open('/chat', `['${OURS}', bearer('good/token+')]`);
    await page.waitForFunction('log.close');

    expect(await page.evaluate('log')).toMatchObject({ protocol: '', received: [], close: { code: 1006 } });
    expect(refusals.at(-1)).toMatchObject({
      status: 403,
      url: '/chat',
      advice: `allowedOrigins: ["${new URL(foreign.url).origin}"]`,
    });
  });

  it('talks to a stock gateway in three lines', async () => {
    await page.goto(home('/three-lines'));

    await page.getByText('Hello, Ann!').waitFor();

    expect(JSON.parse((await page.textContent('#answer')) ?? '')).toEqual({
      event: 'greeting',
      data: 'Hello, Ann!',
    });
  });
});

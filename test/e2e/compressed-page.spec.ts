import { WebSocketGateway } from '@nestjs/websockets';
import { SubscribeChannel } from 'nestjs-channels';
import { expect, it, onTestFinished } from 'vitest';
import { launchChromium, servePage } from '../support/chromium.js';
import { startApp } from '../support/start-app.js';

@WebSocketGateway({ path: '/ws' })
class RoomGateway {
  @SubscribeChannel('room:{id}')
  join(): void {}
}

const LONG = 'a publication for all pages that are here. '.repeat(100);

/** What was agreed on, and three publications, of which the middle one is short. */
const LISTEN = `(url) => new Promise((resolve) => {
  const socket = new WebSocket(url, ['nestjs-channels.v1.json']);
  const texts = [];
  socket.onopen = () => socket.send('{"event":"$subscribe","id":1,"data":{"channel":"room:1"}}');
  socket.onmessage = ({ data }) => {
    const { channel, data: text } = JSON.parse(data);
    if (channel) texts.push(text);
    if (texts.length === 3) resolve({ extensions: socket.extensions, texts });
  };
})`;

it('Chromium reads publications that were compressed once for all', async () => {
  const foreign = await servePage('<p>here');
  const browser = await launchChromium();
  onTestFinished(() => Promise.all([browser.close(), foreign.close()]).then(() => undefined));
  const app = await startApp({
    providers: [RoomGateway],
    channels: { allowedOrigins: '*', compression: {} },
  });
  const pages = await Promise.all([browser.newPage(), browser.newPage()]);
  const heard = pages.map(async (page) => {
    await page.goto(foreign.url);
    return page.evaluate(`(${LISTEN})(${JSON.stringify(app.url('/ws'))})`);
  });
  await expect
    .poll(async () => (await app.channels.connections({ channel: 'room:1' })).connections)
    .toHaveLength(2);

  for (const text of [LONG, 'short', `${LONG}again`]) await app.channels.publish('room:1', 'news', text);

  const extensions = 'permessage-deflate; server_no_context_takeover; client_no_context_takeover';
  const each = { extensions, texts: [LONG, 'short', `${LONG}again`] };
  expect(await Promise.all(heard)).toEqual([each, each]);
});

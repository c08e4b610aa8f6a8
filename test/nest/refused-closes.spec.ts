import { expect, it } from 'vitest';
import { TestClock } from 'nestjs-channels/testing';
import { MAX_REFUSED_CLOSES } from '../../lib/transport/ws/refuser.js';
import { guardedGateway } from '../support/guarded-gateway.js';
import { RawSocket, upgradeRequest } from '../support/raw-socket.js';
import { startApp } from '../support/start-app.js';

const OURS = { 'Sec-WebSocket-Protocol': 'nestjs-channels.v1.json' };
const FUTURE = { 'Sec-WebSocket-Protocol': 'nestjs-channels.v9.json' };

/** A peer that is refused, and does not answer the close. Gives the status that it was answered with. */
async function knock(port: number, headers: Readonly<Record<string, string>> = OURS): Promise<string> {
  const peer = await RawSocket.connect(port);
  peer.write(upgradeRequest('/ws', headers));
  await peer.until(() => peer.response.head.includes('HTTP/1.1'));
  return peer.response.head.slice('HTTP/1.1 '.length).slice(0, 3);
}

it('closes so many clients of ours with a code at the same time, and answers one more in plain HTTP', async () => {
  const clock = new TestClock();
  const app = await startApp({ clock, providers: [guardedGateway(() => false)] });

  const atTheLimit = await Promise.all(Array.from({ length: MAX_REFUSED_CLOSES }, () => knock(app.port)));
  const beyond = [await knock(app.port), await knock(app.port, FUTURE)];
  await clock.advance(1_000);
  await expect
    .poll(async () => [await knock(app.port), await knock(app.port, FUTURE)])
    .toEqual(['101', '101']);

  expect(new Set(atTheLimit)).toEqual(new Set(['101']));
  expect(beyond).toEqual(['403', '426']);
});

import { once } from 'node:events';
import { connect } from 'node:net';
import { onTestFinished } from 'vitest';
import type { RawClient } from '../../support/installed-app.js';

/** How a connection has ended, as one line of a transcript. */
export async function endOf(client: RawClient): Promise<string> {
  const { code, reason } = await client.closed;
  return `closed with ${code} ${JSON.stringify(reason)}`;
}

/** All bytes that a server answers to an upgrade before it ends the connection, which it has to. */
export async function refusalOf(
  port: number,
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<string> {
  const socket = connect(port, '127.0.0.1').setEncoding('latin1');
  onTestFinished(() => void socket.destroy());
  let answer = '';
  socket.on('data', (text: string) => (answer += text));
  const closed = once(socket, 'close');
  const lines = Object.entries({ ...UPGRADE, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`GET ${url} HTTP/1.1\r\nHost: 127.0.0.1\r\n${lines.join('')}\r\n`);
  await closed;
  return answer;
}

const UPGRADE = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { onTestFinished } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';
import { TestClient, type TestClientOptions } from '../../lib/testing/test-client.js';

/** For waits that have to fail: the handshake before them has to be done in this time on a busy machine. */
export const SHORT_MS = 500;

export interface Served {
  readonly url: string;
  readonly client: TestClient;
  /** The server side of the connection. */
  readonly server: WebSocket;
  /** The handshake as the server saw it. */
  readonly request: IncomingMessage;
}

type Accept = (server: WebSocket, request: IncomingMessage) => void;

/** A `ws` server on a free port. `accept` runs in the turn in which the connection is opened. */
export async function serve(accept: Accept = () => undefined): Promise<string> {
  const wss = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  onTestFinished(() => {
    for (const each of wss.clients) each.terminate();
    wss.close();
  });
  wss.on('connection', accept);
  await once(wss, 'listening');
  return `ws://127.0.0.1:${(wss.address() as AddressInfo).port}/`;
}

/** A client and the server side of its connection. */
export async function connected(options?: TestClientOptions): Promise<Served> {
  const sides: [WebSocket, IncomingMessage][] = [];
  const url = await serve((ws, incoming) => sides.push([ws, incoming]));
  const client = await dial(url, options);
  const [[server, request]] = sides as [[WebSocket, IncomingMessage]];
  return { url, client, server, request };
}

/** A client that has received these frames and consumed none of them. */
export async function delivered(frames: readonly unknown[], options?: TestClientOptions): Promise<Served> {
  const served = await connected(options);
  for (const frame of frames) served.server.send(JSON.stringify(frame));
  // The pong follows what was sent before the ping.
  served.server.ping();
  await once(served.server, 'pong');
  return served;
}

/** Answers every `{ event, data, id }` with what `answer` makes of it. */
export function answerWith(server: WebSocket, answer: (frame: Record<string, unknown>) => unknown[]): void {
  server.on('message', (message) => {
    for (const frame of answer(JSON.parse(String(message)))) server.send(JSON.stringify(frame));
  });
}

export async function dial(url: string, options?: TestClientOptions): Promise<TestClient> {
  const client = await TestClient.connect(url, options);
  onTestFinished(() => client.terminate());
  return client;
}

type Upgrade = (socket: Duplex, accept: string) => void;

/** A server that answers the handshake by hand; without an `upgrade`, Node hands it to `listener`. */
export async function serveByHand(upgrade?: Upgrade, listener?: RequestListener): Promise<string> {
  const http = createServer(listener);
  if (upgrade) {
    http.on('upgrade', (request: IncomingMessage, socket: Duplex) => {
      onTestFinished(() => void socket.destroy());
      upgrade(socket, acceptKey(request));
    });
  }
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  onTestFinished(() => {
    http.closeAllConnections();
    http.close();
  });
  return `ws://127.0.0.1:${(http.address() as AddressInfo).port}/`;
}

/** RFC 6455, section 1.3. */
function acceptKey(request: IncomingMessage): string {
  return createHash('sha1')
    .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest('base64');
}

/** The response that accepts a handshake without a subprotocol. */
export function switching(accept: string): string {
  return [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${accept}`,
    '\r\n',
  ].join('\r\n');
}

/** A short, unfragmented, unmasked text frame. */
export function textFrame(text: string): Buffer {
  return Buffer.concat([Buffer.from([0x81, Buffer.byteLength(text)]), Buffer.from(text)]);
}

import type { IncomingMessage } from 'node:http';
import { clearTimeout, setTimeout } from 'node:timers';
import type { WebSocket } from 'ws';
import { HandshakeRefused } from './handshake-refused.js';

/**
 * Resolves when the connection is open; otherwise it has been given up. The caller listens to `error` as well.
 *
 * @internal
 */
export function handshake(ws: WebSocket, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      clearTimeout(timer);
      // A later error is followed by a close frame of ws, which terminate() would cut off.
      ws.off('error', fail);
    };
    const fail = (error: unknown): void => {
      settle();
      ws.terminate();
      reject(error);
    };
    const late = new Error(`Waited ${timeoutMs} ms for an answer to the handshake in vain.`);
    const timer = setTimeout(fail, timeoutMs, late).unref();
    ws.once('error', fail);
    ws.once('unexpected-response', (_request, response) => void refusal(response).then(fail, fail));
    ws.once('open', () => {
      settle();
      resolve();
    });
  });
}

async function refusal(response: IncomingMessage): Promise<HandshakeRefused> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return new HandshakeRefused(
    response.statusCode ?? 0,
    response.headers,
    parse(Buffer.concat(chunks).toString()),
  );
}

/** JSON where it is JSON, otherwise the text. */
export function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not an error: any text is allowed, and the test sees it as it came.
    return text;
  }
}

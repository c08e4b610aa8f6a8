import { WebSocket } from 'ws';
import type { WebSocketConstructor } from '../client/index.js';
import type { Counts } from './counts.js';

/** The sockets of a run: why they failed, which a client is not told, and all of them, so that none outlives it. */
export class SocketTable {
  readonly #sockets = new Set<WebSocket>();
  /** What the client makes its sockets of. */
  readonly WebSocket: WebSocketConstructor;

  /** @param causes - counts errors of sockets by their codes, such as `ECONNREFUSED` */
  constructor(causes: Counts) {
    const sockets = this.#sockets;
    this.WebSocket = class extends WebSocket {
      constructor(url: string, protocols?: string[]) {
        super(url, protocols);
        sockets.add(this);
        this.on('error', (error) => causes.add(causeOf(error)));
        this.on('close', () => sockets.delete(this));
      }
    };
  }

  get isEmpty(): boolean {
    return this.#sockets.size === 0;
  }

  /** For peers that do not answer a close. */
  terminate(): void {
    for (const socket of this.#sockets) socket.terminate();
  }
}

function causeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}

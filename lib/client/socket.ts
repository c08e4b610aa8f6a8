// oxlint-disable unicorn/prefer-add-event-listener -- the signatures of addEventListener differ between implementations
import { CLOSE_CODES } from '../protocol/index.js';
import type { WebSocketConstructor, WebSocketLike } from './web-socket.interface.js';

export interface SocketEvents {
  /** @param protocol - the subprotocol that the server has selected, `''` for none */
  opened(protocol: string): void;
  received(data: unknown): void;
  closed(code: number, reason: unknown): void;
}

/** `WebSocket.OPEN`, which not every implementation names. */
const OPEN = 1;

/** One WebSocket, until it closes or is dropped; afterwards it tells nothing any more. */
export class Socket {
  readonly #webSocket: WebSocketLike;

  constructor(
    WebSocket: WebSocketConstructor,
    url: string,
    protocols: readonly string[],
    private readonly events: SocketEvents,
  ) {
    const webSocket = protocols.length > 0 ? new WebSocket(url, [...protocols]) : new WebSocket(url);
    this.#webSocket = webSocket;
    webSocket.onopen = (): void => this.events.opened(webSocket.protocol);
    webSocket.onmessage = ({ data }: { readonly data: unknown }): void => this.events.received(data);
    webSocket.onclose = ({ code, reason }: { readonly code?: number; readonly reason?: unknown }): void => {
      this.#mute();
      this.events.closed(code ?? CLOSE_CODES.Abnormal.code, reason);
    };
    webSocket.onerror = ignoreError;
  }

  get bufferedBytes(): number {
    return this.#webSocket.bufferedAmount ?? 0;
  }

  /** @returns false once the socket is closing: what it is given then is lost */
  write(text: string): boolean {
    if (this.#webSocket.readyState !== OPEN) return false;
    this.#webSocket.send(text);
    return true;
  }

  /** Closes without waiting for the peer: a connection that is only half there may take minutes to say so. */
  drop(): void {
    this.#mute();
    this.#webSocket.close(CLOSE_CODES.Normal.code);
  }

  #mute(): void {
    this.#webSocket.onopen = this.#webSocket.onmessage = this.#webSocket.onclose = null;
  }
}

/**
 * A close follows every error and says what a script may know of it. It stays set when the rest is muted:
 * the package `ws` throws where nobody listens to an error.
 */
function ignoreError(): void {}

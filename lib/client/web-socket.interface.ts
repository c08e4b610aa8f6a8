/**
 * What the client needs of a WebSocket: the one of browsers, of Node, of React Native, and of the
 * package `ws`. The handlers are set by the client; the types of their events differ between those.
 *
 * @publicApi
 */
export interface WebSocketLike {
  onopen: unknown;
  onmessage: unknown;
  onclose: unknown;
  onerror: unknown;
  /** 1 while it is open. */
  readonly readyState: number;
  /** Bytes that were sent but have not left yet. React Native has none. */
  readonly bufferedAmount?: number;
  /** Sends a text frame. Called while `readyState` is 1 only. */
  send(data: string): void;
  /** Begins the closing handshake; `onclose` tells its end. */
  close(code?: number, reason?: string): void;
}

/**
 * Makes a socket that begins to connect at once, as `WebSocket` of browsers and of `ws` does.
 *
 * @publicApi
 */
export type WebSocketConstructor = new (url: string, protocols?: string[]) => WebSocketLike;

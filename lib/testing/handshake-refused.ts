/**
 * The server answered the WebSocket handshake with HTTP instead of `101`.
 *
 * @publicApi
 */
export class HandshakeRefused extends Error {
  override readonly name = 'HandshakeRefused';

  constructor(
    readonly statusCode: number,
    /** Names are in lower case. */
    readonly headers: Readonly<Record<string, string | string[] | undefined>>,
    /** Parsed where it is JSON, otherwise the text. Empty text when there is none. */
    readonly body: unknown,
  ) {
    super(`The server refused the handshake with ${statusCode}: ${JSON.stringify(body)}`);
  }
}

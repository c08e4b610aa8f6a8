/**
 * What a waiting {@link TestClient} rejects with when its connection closes before the frame has come.
 *
 * @publicApi
 */
export class ConnectionClosed extends Error {
  override readonly name = 'ConnectionClosed';

  constructor(
    /** As in a browser's `CloseEvent`: 1005 for a close without a code, 1006 for none at all. */
    readonly code: number,
    readonly reason: string,
    message = `The connection closed with ${code} ${JSON.stringify(reason)}.`,
  ) {
    super(message);
  }
}

import type { Socket } from 'node:net';

/**
 * Resets the connection.
 *
 * The system cannot reset a socket while it shuts its side down: Node then drops the socket without
 * closing it, and there is never a 'close'. So a shutdown that is under way ends first, which takes a
 * turn of the event loop.
 *
 * @internal
 */
export function resetSocket(socket: Socket): void {
  if (socket.destroyed) return;
  const { writableEnded, writableFinished, writableLength } = socket;
  if (writableEnded && !writableFinished && writableLength === 0) {
    socket.once('finish', () => resetSocket(socket));
  } else {
    socket.resetAndDestroy();
  }
}

/**
 * - `opening`: upgraded; `handleConnection` runs, nothing is read, the server may send
 * - `open`: messages are handled
 * - `closing`: a close was sent, nothing is handled or sent any more
 * - `closed`: the transport has ended
 */
export type ConnectionState = 'opening' | 'open' | 'closing' | 'closed';

const NEXT_STATES: Readonly<Record<ConnectionState, readonly ConnectionState[]>> = {
  opening: ['open', 'closing', 'closed'],
  open: ['closing', 'closed'],
  closing: ['closed'],
  closed: [],
};

/** `to`, where that can follow. Throws where it cannot: that is a bug. */
export function nextState(from: ConnectionState, to: ConnectionState): ConnectionState {
  if (!NEXT_STATES[from].includes(to)) throw new Error(`a connection cannot go from ${from} to ${to}`);
  return to;
}

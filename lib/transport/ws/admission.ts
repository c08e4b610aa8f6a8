import type { IncomingMessage } from 'node:http';
import type { AdmissionOptions } from '../../core/admission-options.js';
import { NOT_COUNTED, type Entrance, type EntryRefusal, type Place } from '../../core/entrance.js';
import { readAddressKey } from './peer-address.js';
import { LimitRefusal } from './refusal.js';
import type { Offer } from './subprotocol.js';

/** What a peer is told, and the option that an operator can change. */
const WORDS = {
  handshake_rate: [503, 'too many handshakes; your turn comes later', 'handshakesPerSecond'],
  connections: [503, 'the server is full', 'maxConnections'],
  address_connections: [429, 'too many connections of this address', 'maxConnectionsPerAddress'],
  address_rate: [429, 'too many handshakes of this address', 'handshakesPerSecondPerAddress'],
} as const satisfies Record<EntryRefusal['reason'], readonly [number, string, keyof AdmissionOptions]>;

/** @throws LimitRefusal where the node, or the address, has no place for one more */
export function enter(entrance: Entrance, request: IncomingMessage, offer: Offer, hops: number): Place {
  const entry = entrance.enter({
    address: readAddressKey(request, hops),
    ticket: offer.ticket,
    takesTickets: offer.ours !== undefined,
  });
  if ('leave' in entry) return entry;
  const [status, message, advice] = WORDS[entry.reason];
  throw new LimitRefusal(entry.reason, { ...entry, status, message, advice });
}

/** @throws LimitRefusal where the principal has all connections that it may have */
export function identify(entrance: Entrance, principal: string): Place {
  const place = entrance.identify(principal);
  if (place) return place;
  throw new LimitRefusal('principal_connections', {
    status: 429,
    message: 'too many connections of this user',
    advice: 'maxConnectionsPerPrincipal',
  });
}

/** Both at once. */
export function both(first: Place, second: Place): Place {
  if (first === NOT_COUNTED) return second;
  if (second === NOT_COUNTED) return first;
  return {
    leave: () => {
      first.leave();
      second.leave();
    },
  };
}

import type { ChannelSocket } from './channel-socket.js';
import type { Place } from './entrance.js';
import type { Identity, Renew } from './identity.js';

/** What is known of a peer when its connection is accepted. */
export interface ConnectionInfo extends Identity {
  /** What the application's code gets as the client. */
  readonly socket: ChannelSocket;
  /** There where the session ends. */
  readonly renew?: Renew;
  /** Parameters of the endpoint's path. */
  readonly params: Readonly<Record<string, string>>;
  /** Whether the peer has offered a subprotocol of ours. */
  readonly ours: boolean;
  readonly address: string;
  /** From the request to the upgrade, in milliseconds. */
  readonly handshakeMs: number;
  /** Left when the connection has ended. */
  readonly place?: Place;
}

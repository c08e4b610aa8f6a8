import type { ConnectionInfo } from './connection-info.js';
import type { Engine } from './engine.js';
import type { ObservedConnection, Traffic } from './observer.interface.js';
import type { Outbox } from './outbox.js';
import type { Transport } from './transport.interface.js';
import type { Endpoint } from './endpoint.js';

/** What observers see of a connection. Nothing of it is kept up to date for them: it is read off when they ask. */
export abstract class ObservedPeer implements ObservedConnection {
  abstract readonly id: string;
  abstract readonly ours: boolean;
  abstract readonly info: ConnectionInfo;
  abstract readonly outbox: Outbox;

  /** Messages of the peer so far. */
  protected received = 0;

  readonly #openedAt: number;

  constructor(
    readonly engine: Engine,
    readonly endpoint: Endpoint,
    readonly transport: Transport,
  ) {
    this.#openedAt = engine.clock.now();
  }

  get principal(): string {
    return this.info.principal;
  }

  get address(): string {
    return this.info.address;
  }

  get path(): string {
    return this.endpoint.path;
  }

  get subprotocol(): string {
    return this.info.ours ? this.engine.codec.subprotocol : '';
  }

  get handshakeMs(): number {
    return this.info.handshakeMs;
  }

  get ageMs(): number {
    return this.engine.clock.now() - this.#openedAt;
  }

  get traffic(): Traffic {
    const { bytesRead: bytesReceived, bytesWritten: bytesSent } = this.transport;
    return {
      messagesReceived: this.received,
      messagesSent: this.outbox.sent,
      bytesReceived,
      bytesSent,
    };
  }
}

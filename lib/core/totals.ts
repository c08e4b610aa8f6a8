import type { ObservedConnection, ObservedNode, Traffic } from './observer.interface.js';

const NOTHING: Traffic = { messagesReceived: 0, messagesSent: 0, bytesReceived: 0, bytesSent: 0 };

/** What has gone over all connections, also those that are gone: no message is counted for it when it comes. */
export class Totals {
  #ended = NOTHING;

  /** A connection has ended. */
  add({ traffic }: ObservedConnection): void {
    this.#ended = sum(this.#ended, traffic);
  }

  trafficOf(node: ObservedNode | undefined): Traffic {
    let total = this.#ended;
    for (const { traffic } of node?.connections ?? []) total = sum(total, traffic);
    return total;
  }

  /** How many there are, by path. */
  connectionsOf(node: ObservedNode | undefined): ReadonlyMap<string, number> {
    const byPath = new Map<string, number>();
    for (const { path } of node?.connections ?? []) byPath.set(path, (byPath.get(path) ?? 0) + 1);
    return byPath;
  }
}

function sum(a: Traffic, b: Traffic): Traffic {
  return {
    messagesReceived: a.messagesReceived + b.messagesReceived,
    messagesSent: a.messagesSent + b.messagesSent,
    bytesReceived: a.bytesReceived + b.bytesReceived,
    bytesSent: a.bytesSent + b.bytesSent,
  };
}

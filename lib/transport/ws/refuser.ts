import type { IncomingMessage } from 'node:http';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Engine } from '../../core/engine.js';
import { CLOSE_CODES, REFUSED_CLOSE_TIMEOUT_MS } from '../../protocol/index.js';
import { closeCodeOf, writeRefusal, type HandshakeRefusal } from './refusal.js';
import type { Upgrade } from './upgrade-server.js';

/** Clients of ours that are told their close code at the same time. Beyond it the answer is plain HTTP, which takes no memory. */
export const MAX_REFUSED_CLOSES = 1_024;

/**
 * Turns peers away. A browser's script cannot read the HTTP status of a refused upgrade, so a
 * client of ours is upgraded and at once closed with the code that says the same. Not while this
 * node starts or goes away: docs/protocol.md, section 2.7.
 */
export class Refuser {
  #closing = 0;
  readonly #server = new WebSocketServer({ noServer: true, clientTracking: false, maxPayload: 1 });

  constructor(private readonly engine: Engine) {
    engine.tables.add('refusedCloses', () => this.#closing);
  }

  refuse(upgrade: Upgrade<IncomingMessage>, refusal: HandshakeRefusal): void {
    // Another node may take this peer, if a proxy is told in its own words: behind a 101 it asks no other one.
    const isForProxies = refusal.reason === 'not_ready';
    const closes = upgrade.offer.ours !== undefined && !isForProxies;
    if (!closes || !this.#close(upgrade, closeCodeOf(refusal.status), refusal.closeReason)) {
      writeRefusal(upgrade.socket, refusal);
    }
  }

  /** The peer speaks a version of ours that this server does not. */
  refuseVersion(upgrade: Upgrade<IncomingMessage>, refusal: HandshakeRefusal): void {
    const { code, reason } = CLOSE_CODES.UnsupportedProtocol;
    if (!this.#close(upgrade, code, reason)) writeRefusal(upgrade.socket, refusal);
  }

  /** `false` where too many others are being closed. */
  #close({ request, socket, head, offer }: Upgrade<IncomingMessage>, code: number, reason: string): boolean {
    if (this.#closing >= MAX_REFUSED_CLOSES) return false;
    const { clock } = this.engine;
    // Whatever else was offered, this is what the 101 selects: never a token.
    request.headers['sec-websocket-protocol'] = offer.ours;
    this.#server.handleUpgrade(request, socket, head, (client: WebSocket) => {
      this.#closing++;
      const timer = clock.setTimeout(() => client.terminate(), REFUSED_CLOSE_TIMEOUT_MS);
      client.on('close', () => {
        this.#closing--;
        clock.clearTimer(timer);
      });
      client.on('error', ignore);
      client.close(code, reason);
    });
    return true;
  }
}

/** What a refused peer still sends is of no interest. */
function ignore(): void {}

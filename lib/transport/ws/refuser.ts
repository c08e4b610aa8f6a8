import type { IncomingMessage } from 'node:http';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Engine } from '../../core/engine.js';
import { CLOSE_CODES, REFUSED_CLOSE_TIMEOUT_MS } from '../../protocol/index.js';
import { closeCodeOf, closeReasonOf, writeRefusal, type HandshakeRefusal } from './refusal.js';
import type { Upgrade } from './upgrade-server.js';

/**
 * Turns peers away. A browser's script cannot read the HTTP status of a refused upgrade, so a
 * client of ours is upgraded and at once closed with the code that says the same.
 */
export class Refuser {
  readonly #server = new WebSocketServer({ noServer: true, clientTracking: false, maxPayload: 1 });

  constructor(private readonly engine: Engine) {}

  refuse(upgrade: Upgrade<IncomingMessage>, refusal: HandshakeRefusal): void {
    if (upgrade.offer.ours === undefined) writeRefusal(upgrade.socket, refusal);
    else this.#close(upgrade, closeCodeOf(refusal.status), closeReasonOf(refusal.headers));
  }

  /** The peer speaks a version of ours that this server does not. */
  refuseVersion(upgrade: Upgrade<IncomingMessage>): void {
    const { code, reason } = CLOSE_CODES.UnsupportedProtocol;
    this.#close(upgrade, code, reason);
  }

  #close({ request, socket, head, offer }: Upgrade<IncomingMessage>, code: number, reason: string): void {
    const { clock } = this.engine;
    // Whatever else was offered, this is what the 101 selects: never a token.
    request.headers['sec-websocket-protocol'] = offer.ours;
    this.#server.handleUpgrade(request, socket, head, (client: WebSocket) => {
      const timer = clock.setTimeout(() => client.terminate(), REFUSED_CLOSE_TIMEOUT_MS);
      client.on('close', () => clock.clearTimer(timer));
      client.on('error', ignore);
      client.close(code, reason);
    });
  }
}

/** What a refused peer still sends is of no interest. */
function ignore(): void {}

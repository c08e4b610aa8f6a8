import { Server as HttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Server as HttpsServer } from 'node:https';
import type { Server, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Timer } from '../../core/clock.interface.js';
import type { Engine } from '../../core/engine.js';

/** The longest pause between two looks at all sockets. */
const MAX_PAUSE_MS = 1_000;

/**
 * Where the application listens to one of these, requests and tunnels come past `request`, and to listen as well
 * would change what the server does when the application stops: then the sockets are left to Node.
 */
const OTHER_REQUESTS = ['checkContinue', 'checkExpectation', 'connect'] as const;

const TIMED_OUT = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n';

const WORDS = {
  slow_request: { message: 'the head of the request took too long', advice: 'idleUpgradeTimeoutMs' },
  silent: { message: 'nothing was sent', advice: 'idleTimeoutMs' },
} as const;

/** One socket that speaks HTTP still. */
interface Watched {
  /** When it was seen first. */
  readonly openedAt: number;
  /** Set below TLS. */
  readonly tlsKey?: string;
  /** A head was complete before. */
  hasAsked: boolean;
  /** The request that is under way, and its answer. */
  request?: IncomingMessage;
  response?: ServerResponse;
  /** Bytes that are no part of the next head. */
  bytesRead: number;
  /** When bytes of a head that is not complete were seen first. */
  dribblesSince?: number;
}

/**
 * Ends the sockets of an HTTP server that begin a head of a request and do not end it; with `idleTimeoutMs` also
 * those that never begin one. Bodies and answers may take as long as they like, and so may the pauses between
 * requests: these are for Node's own timeouts. One timer for all sockets.
 */
export class SocketSweep {
  readonly #watched = new Map<Duplex, Watched>();
  /** Which of them a secure socket stands on Node does not tell, but both have the same peer. */
  readonly #belowTls = new Map<string, Socket>();
  readonly #onClose = closeListener((socket) => this.#delete(socket));
  readonly #timer: Timer | undefined;

  constructor(
    private readonly server: Server,
    private readonly engine: Engine,
  ) {
    const { idleUpgradeTimeoutMs, idleTimeoutMs } = engine.options;
    const timeouts = [idleUpgradeTimeoutMs, idleTimeoutMs].filter((ms) => ms > 0);
    // The sockets of other servers, such as those of HTTP/2, carry many requests at a time.
    const isKnown = server instanceof HttpServer || server instanceof HttpsServer;
    if (!isKnown || timeouts.length === 0) return;
    const pauseMs = Math.max(1, Math.min(MAX_PAUSE_MS, Math.floor(Math.min(...timeouts) / 10)));
    this.#timer = engine.clock.setInterval(() => this.#sweep(), pauseMs);
    server.on('connection', this.#onConnection);
    server.on('secureConnection', this.#onSecure);
    server.on('request', this.#onRequest);
  }

  /** Sockets that speak HTTP still. */
  get size(): number {
    return this.#watched.size + this.#belowTls.size;
  }

  /** It has been upgraded, or its upgrade is being answered. */
  forget(socket: Duplex): void {
    socket.off('close', this.#onClose);
    this.#delete(socket);
  }

  close(): void {
    if (!this.#timer) return;
    this.engine.clock.clearTimer(this.#timer);
    this.server.off('connection', this.#onConnection);
    this.server.off('secureConnection', this.#onSecure);
    this.server.off('request', this.#onRequest);
    for (const socket of [...this.#watched.keys()]) this.forget(socket);
  }

  readonly #onConnection = (socket: Socket): void => {
    const tlsKey = this.server instanceof HttpsServer ? keyOf(socket) : undefined;
    if (tlsKey !== undefined) this.#belowTls.set(tlsKey, socket);
    const openedAt = this.engine.clock.now();
    this.#watch(socket, { openedAt, tlsKey, hasAsked: false, bytesRead: 0 });
  };

  /** TLS is through: from here on the secure socket is what speaks. */
  readonly #onSecure = (socket: Socket): void => {
    const below = this.#belowTls.get(keyOf(socket));
    const openedAt = (below && this.#watched.get(below)?.openedAt) ?? this.engine.clock.now();
    if (below) this.forget(below);
    // The bytes of the TLS handshake were no head.
    this.#watch(socket, { openedAt, hasAsked: false, bytesRead: socket.bytesRead });
  };

  readonly #onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const watched = this.#watched.get(request.socket);
    if (!watched) return;
    watched.hasAsked = true;
    watched.request = request;
    watched.response = response;
    watched.dribblesSince = undefined;
  };

  #watch(socket: Socket, watched: Watched): void {
    this.#watched.set(socket, watched);
    socket.on('close', this.#onClose);
  }

  #delete(socket: Duplex): void {
    const tlsKey = this.#watched.get(socket)?.tlsKey;
    if (tlsKey !== undefined) this.#belowTls.delete(tlsKey);
    this.#watched.delete(socket);
  }

  #sweep(): void {
    if (OTHER_REQUESTS.some((event) => this.server.listenerCount(event) > 0)) return;
    const now = this.engine.clock.now();
    for (const [socket, watched] of this.#watched) this.#look(socket as Socket, watched, now);
  }

  #look(socket: Socket, watched: Watched, now: number): void {
    const { idleUpgradeTimeoutMs, idleTimeoutMs } = this.engine.options;
    if (watched.request) {
      if (isUnderWay(watched)) return;
      // What has come of the next head by now counts for the last one: a head that dribbles on is seen later.
      watched.bytesRead = socket.bytesRead;
      watched.request = watched.response = undefined;
    }
    if (socket.bytesRead !== watched.bytesRead) {
      watched.dribblesSince ??= now;
      const isLate = idleUpgradeTimeoutMs > 0 && now - watched.dribblesSince >= idleUpgradeTimeoutMs;
      if (isLate) this.#end(socket, watched, 'slow_request');
      return;
    }
    const isSilent = idleTimeoutMs > 0 && !watched.hasAsked && now - watched.openedAt >= idleTimeoutMs;
    if (isSilent) this.#end(socket, watched, 'silent');
  }

  #end(socket: Socket, { tlsKey }: Watched, reason: keyof typeof WORDS): void {
    const address = socket.remoteAddress ?? '';
    // Below TLS it would be no answer.
    if (reason === 'slow_request' && tlsKey === undefined) socket.write(TIMED_OUT);
    socket.destroy();
    this.engine.observers.refused({ reason, status: 408, url: '', address, durationMs: 0, ...WORDS[reason] });
  }
}

function isUnderWay({ request, response }: Watched): boolean {
  const isAnswered = response?.writableFinished || response?.destroyed;
  return !request?.complete || !isAnswered;
}

/** The same for a secure socket and the one below it. */
function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

/** One listener for all sockets. */
function closeListener(closed: (socket: Duplex) => void): (this: Duplex) => void {
  return function onClose() {
    closed(this);
  };
}

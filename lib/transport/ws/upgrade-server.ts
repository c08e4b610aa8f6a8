import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocketServer } from 'ws';
import type { Endpoint } from '../../core/endpoint.js';
import type { Engine } from '../../core/engine.js';
import { PatternTable } from '../../core/pattern.js';
import { readAddress, readRequest, type HandshakeRequest } from './handshake-request.js';
import { PendingUpgrades, tryAgain } from './pending-upgrades.js';
import { HandshakeRefusal, defaultBody } from './refusal.js';
import { Refuser } from './refuser.js';
import { readOffer, type Offer } from './subprotocol.js';
import { PATH_SYNTAX, parsePath } from './upgrade-path.js';
import type { WsChannelSocket } from './ws-channel-socket.js';

/** Who a peer turned out to be. */
export interface Admission {
  readonly principal: string;
  readonly user: unknown;
  /** Becomes the socket's `data`. */
  readonly data: unknown;
}

/** What the application has to say before an upgrade. Throws a {@link HandshakeRefusal}. */
export interface Handshake {
  /** Checked first, and always refused in plain HTTP: a foreign page must not learn more. */
  checkOrigin(request: HandshakeRequest, cookieAuthenticates: boolean): void;
  admit(request: HandshakeRequest): Promise<Admission>;
}

/** One path with what serves it. */
export interface UpgradeRoute {
  /** `undefined` takes every path: a gateway with a port of its own and no path. */
  readonly path?: string;
  readonly server: WebSocketServer;
  readonly endpoint: Endpoint;
  readonly handshake: Handshake;
}

export interface UpgradeOptions {
  /** Whether `X-Forwarded-For` and `X-Forwarded-Host` count. */
  readonly trustProxy: boolean;
  /** The cookie that carries the token. */
  readonly tokenCookie?: string;
  /** Whether upgrades are taken yet: an application that still starts refuses them with 503. */
  readonly isReady: () => boolean;
}

/** Turns the upgrades of one HTTP server into connections: path, origin, caps, guards, and only then 101. */
export class UpgradeServer {
  readonly #routes = new PatternTable<UpgradeRoute>(PATH_SYNTAX);
  readonly #paths: string[] = [];
  #anyPath?: UpgradeRoute;
  readonly #pending: PendingUpgrades;
  readonly #refuser: Refuser;

  constructor(
    readonly httpServer: Server,
    private readonly engine: Engine,
    private readonly options: UpgradeOptions,
  ) {
    this.#pending = new PendingUpgrades(engine);
    this.#refuser = new Refuser(engine);
    httpServer.on('upgrade', this.#onUpgrade);
  }

  /** @throws TypeError when another gateway has a path of the same shape */
  add(route: UpgradeRoute): void {
    if (route.path === undefined) this.#anyPath = route;
    else {
      this.#routes.add(parsePath(route.path), route);
      this.#paths.push(route.path);
    }
  }

  /** Takes nothing on any more. Who still waits for a guard is refused: it may wait for longer than the server lives. */
  close(): void {
    this.httpServer.off('upgrade', this.#onUpgrade);
    this.#pending.refuse(shutsDown());
  }

  readonly #onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const url = parseUrl(request.url);
    const match = url && this.#match(url.pathname);
    // A reset must not end the process, while a guard of ours runs or where nobody takes the upgrade.
    socket.on('error', ignore);
    // Somebody else's upgrade, GraphQL's or a dev server's, is theirs to answer.
    if (!match && this.httpServer.listenerCount('upgrade') > 1) {
      this.#abandoned(socket);
      return;
    }
    if (!url || request.method !== 'GET' || request.rawHeaders.length > MAX_RAW_HEADERS) {
      this.#refuse({ request, socket, head, offer: PLAIN }, new HandshakeRefusal(400));
      return;
    }
    const offer = readOffer(request.headers['sec-websocket-protocol']);
    if (!match) {
      this.#refuse({ request, socket, head, offer }, this.#unknownPath());
      return;
    }
    const read = readRequest(request, {
      ip: readAddress(request, this.options.trustProxy),
      params: match.params,
      query: url.searchParams,
      token: offer.token,
      protocols: offer.protocols,
      tokenCookie: this.options.tokenCookie,
    });
    void this.#upgrade({ request: read.request, socket, head, offer }, match.value, read.cookieAuthenticates);
  };

  /** Another listener may have taken it. Where none has, the peer would hold the socket for ever. */
  #abandoned(socket: Duplex): void {
    const { clock, options } = this.engine;
    clock.setTimeout(() => {
      if (socket.listenerCount('data') === 0 && socket.listenerCount('readable') === 0) socket.destroy();
    }, options.handshakeTimeoutMs);
  }

  #unknownPath(): HandshakeRefusal {
    const paths = this.#paths.slice(0, MAX_PATHS_TOLD).join(' ');
    const more = this.#paths.length > MAX_PATHS_TOLD ? ' and more' : '';
    const advice = `give a gateway this path; there are ${paths}${more}`;
    return new HandshakeRefusal(404, defaultBody(404), {}, advice);
  }

  #match(pathname: string): { value: UpgradeRoute; params: Record<string, string> } | undefined {
    const match = this.#routes.match(pathname);
    if (match || !this.#anyPath) return match;
    return { value: this.#anyPath, params: {} };
  }

  async #upgrade(
    upgrade: Upgrade<HandshakeRequest>,
    route: UpgradeRoute,
    cookieAuthenticates: boolean,
  ): Promise<void> {
    const { request, socket } = upgrade;
    try {
      route.handshake.checkOrigin(request, cookieAuthenticates);
    } catch (error) {
      this.#refuse({ ...upgrade, offer: PLAIN }, error);
      return;
    }
    try {
      if (upgrade.offer.unknownVersion) {
        this.#report(request, 426, `${upgrade.offer.ours} is not spoken here`);
        this.#refuser.refuseVersion(upgrade);
        return;
      }
      this.#checkCapacity();
      const admission = await this.#pending.wait(() => route.handshake.admit(request));
      // The peer may have gone, and the server may have begun to shut down, while the guards ran.
      if (socket.destroyed) return;
      this.#checkCapacity();
      this.#complete(upgrade, route, admission);
    } catch (error) {
      this.#refuse(upgrade, error);
    }
  }

  #checkCapacity(): void {
    if (this.engine.draining) throw shutsDown();
    if (!this.options.isReady()) throw tryAgain('the server is starting');
  }

  #complete(
    { request, socket, head, offer }: Upgrade<HandshakeRequest>,
    route: UpgradeRoute,
    admission: Admission,
  ): void {
    socket.off('error', ignore);
    route.server.handleUpgrade(request, socket, head, (ws) => {
      const client = ws as WsChannelSocket;
      // Nothing is read before `handleConnection` has settled; the kernel bounds what is kept.
      client.pause();
      const connection = this.engine.accept(client, route.endpoint, {
        socket: client,
        principal: admission.principal,
        user: admission.user,
        params: request.params,
        ours: offer.ours !== undefined,
        address: request.ip,
      });
      client.data = admission.data;
      client.attach(connection, socket);
      this.#announce(route.server, client, request);
      void Promise.resolve(this.engine.admit(connection, request)).then(() => client.resume());
    });
  }

  /** Listeners that the application has put on the server must not end the process. */
  #announce(server: WebSocketServer, client: WsChannelSocket, request: HandshakeRequest): void {
    try {
      server.emit('connection', client, request);
    } catch (error) {
      this.engine.observers.failed({ where: 'a "connection" listener', error });
    }
  }

  #refuse(upgrade: Upgrade<IncomingMessage>, error: unknown): void {
    const refusal = error instanceof HandshakeRefusal ? error : new HandshakeRefusal(500);
    if (refusal !== error) this.engine.observers.failed({ where: 'the handshake', error });
    try {
      this.#report(upgrade.request, refusal.status, refusal.text, refusal.advice);
      this.#refuser.refuse(upgrade, refusal);
    } catch (failure) {
      // A header with a line break, a body without JSON: the peer is to have an answer all the same.
      this.engine.observers.failed({ where: 'the handshake', error: failure });
      this.#refuser.refuse(upgrade, new HandshakeRefusal(500));
    }
  }

  #report(request: IncomingMessage, status: number, message: string, advice?: string): void {
    // Without the query: tokens do not belong there, but some put them there.
    const url = (request.url ?? '').split('?', 1)[0] ?? '';
    const address = readAddress(request, this.options.trustProxy);
    this.engine.observers.refused({ status, message, url, address, advice });
  }
}

/**
 * Names and values. Node leaves out of `headers` what stands behind so many, without a word: an `Origin` there would
 * count as missing.
 */
const MAX_RAW_HEADERS = 2_000;

/** Of the paths that there are, in a line of the log. */
const MAX_PATHS_TOLD = 5;

/** One upgrade on its way. */
export interface Upgrade<Request extends IncomingMessage> {
  readonly request: Request;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly offer: Offer;
}

/** As if no subprotocol of ours had been offered. */
const PLAIN: Offer = { protocols: [], unknownVersion: false };

/** What goes wrong on a socket that is being upgraded ends it; its `close` is all that matters. */
function ignore(): void {}

function parseUrl(url: string | undefined): URL | undefined {
  try {
    // Only path and query are read: the host is whatever the peer claims.
    return new URL(url ?? '/', 'ws://localhost');
  } catch {
    return undefined;
  }
}

function shutsDown(): HandshakeRefusal {
  return new HandshakeRefusal(503, defaultBody(503, 'the server shuts down'));
}

import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocketServer } from 'ws';
import type { Endpoint } from '../../core/endpoint.js';
import type { Engine } from '../../core/engine.js';
import type { Place } from '../../core/entrance.js';
import { hasEnded, type Identity } from '../../core/identity.js';
import type { RefusalReason } from '../../core/observer.interface.js';
import { PatternTable } from '../../core/pattern.js';
import { both, enter, identify } from './admission.js';
import { readRequest, type HandshakeRequest } from './handshake-request.js';
import { readAddress } from './peer-address.js';
import { PendingUpgrades, tooManyAtOnce, tryAgain } from './pending-upgrades.js';
import { HandshakeRefusal, LimitRefusal } from './refusal.js';
import { Refuser } from './refuser.js';
import { Renewals } from './renewals.js';
import { inflateAtOnce, sharedDeflate } from './shared-deflate.js';
import { SocketSweep } from './socket-sweep.js';
import { readOffer, type Offer } from './subprotocol.js';
import { UpgradeQueue } from './upgrade-queue.js';
import { PATH_SYNTAX, parsePath } from './upgrade-path.js';
import type { WsChannelSocket } from './ws-channel-socket.js';

/** Who a peer turned out to be. */
export interface Admission extends Identity {
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
  /** Proxies in front whose `X-Forwarded-For` counts; 0 for none. */
  readonly trustedHops: number;
  /** The cookie that carries the token. */
  readonly tokenCookie?: string;
  /** Whether upgrades are taken yet: an application that still starts refuses them with 503. */
  readonly isReady: () => boolean;
}

/**
 * Turns the upgrades of one HTTP server into connections: path, origin, caps and rates, guards, the cap of a
 * principal, and only then 101.
 */
export class UpgradeServer {
  readonly #routes = new PatternTable<UpgradeRoute>(PATH_SYNTAX);
  readonly #paths: string[] = [];
  #anyPath?: UpgradeRoute;
  readonly #pending: PendingUpgrades;
  readonly #refuser: Refuser;
  readonly #queue: UpgradeQueue;
  readonly #sockets: SocketSweep;
  readonly #renewals: Renewals;

  constructor(
    readonly httpServer: Server,
    private readonly engine: Engine,
    private readonly options: UpgradeOptions,
  ) {
    this.#pending = new PendingUpgrades(engine);
    this.#refuser = new Refuser(engine);
    this.#queue = new UpgradeQueue(engine.clock);
    engine.tables.add('upgrades', () => this.#queue.size);
    this.#sockets = new SocketSweep(httpServer, engine);
    engine.tables.add('unheardSockets', () => this.#sockets.size);
    this.#renewals = new Renewals(engine);
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
    this.#sockets.close();
    this.#renewals.refuse(shutsDown());
  }

  readonly #onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    this.#sockets.forget(socket);
    const url = parseUrl(request.url);
    const match = url && this.#match(url.pathname);
    // A reset must not end the process, while a guard of ours runs or where nobody takes the upgrade.
    socket.on('error', ignore);
    // Somebody else's upgrade, GraphQL's or a dev server's, is theirs to answer.
    if (!match && this.httpServer.listenerCount('upgrade') > 1) {
      this.#abandoned(socket);
      return;
    }
    if (this.#queue.size >= this.engine.options.maxPendingUpgrades) {
      const askedAt = this.engine.clock.now();
      this.#refuse({ request, socket, head, askedAt, offer: PLAIN }, tooManyAtOnce(this.engine.options));
      return;
    }
    const askedAt = this.engine.clock.now();
    this.#queue.add(() => this.#answer({ request, socket, head, askedAt }, url, match));
  };

  #answer(
    asked: Omit<Upgrade<IncomingMessage>, 'offer'>,
    url: URL | undefined,
    match: Match | undefined,
  ): void {
    const { request, socket } = asked;
    // The peer may have gone while it waited.
    if (socket.destroyed) return;
    if (!url || request.method !== 'GET' || request.rawHeaders.length > MAX_RAW_HEADERS) {
      this.#refuse(
        { ...asked, offer: PLAIN },
        new LimitRefusal('request', { status: 400, message: 'Bad Request' }),
      );
      return;
    }
    const offer = readOffer(request.headers['sec-websocket-protocol']);
    if (!match) {
      this.#refuse({ ...asked, offer }, this.#unknownPath());
      return;
    }
    const read = readRequest(request, {
      ip: readAddress(request, this.options.trustedHops),
      params: match.params,
      query: url.searchParams,
      token: offer.token,
      protocols: offer.protocols,
      tokenCookie: this.options.tokenCookie,
    });
    void this.#upgrade({ ...asked, request: read.request, offer }, match.value, read.cookieAuthenticates);
  }

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
    return new LimitRefusal('request', { status: 404, message: 'Not Found', advice });
  }

  #match(pathname: string): Match | undefined {
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
      this.#refuse({ ...upgrade, offer: PLAIN }, error, 'origin');
      return;
    }
    let place: Place | undefined;
    const leave = (): void => place?.leave();
    socket.once('close', leave);
    try {
      this.#checkCapacity();
      if (upgrade.offer.unknownVersion) {
        // A handshake as any other, though it comes to nothing.
        enter(this.engine.entrance, request, upgrade.offer, this.options.trustedHops).leave();
        this.#refuseVersion(upgrade);
        return;
      }
      // Before a turn is taken, which would be lost.
      this.#pending.checkRoom();
      place = enter(this.engine.entrance, request, upgrade.offer, this.options.trustedHops);
      const admission = await this.#pending.wait(() => route.handshake.admit(request));
      // The peer may have gone, and the server may have begun to shut down, while the guards ran.
      if (socket.destroyed) return;
      this.#checkCapacity();
      this.#checkIdentity(admission);
      place = both(place, identify(this.engine.entrance, admission.principal));
      this.#complete(upgrade, route, { ...admission, place, leave });
    } catch (error) {
      leave();
      this.#refuse(upgrade, error);
    }
  }

  #refuseVersion(upgrade: Upgrade<HandshakeRequest>): void {
    const message = `${upgrade.offer.ours} is not spoken here`;
    this.#report(upgrade, 'version', { status: 426, text: message });
    this.#refuser.refuseVersion(upgrade, new HandshakeRefusal(426));
  }

  #checkCapacity(): void {
    if (this.engine.draining) throw shutsDown();
    if (!this.options.isReady()) throw tryAgain('not_ready', 'the server is starting');
  }

  /** By what holds now: guards may take their time. */
  #checkIdentity(identity: Identity): void {
    const { clock, revocations } = this.engine;
    if (revocations.covers(identity)) throw new LimitRefusal('revoked', { status: 403, message: 'revoked' });
    if (!hasEnded(identity, clock.wallNow())) return;
    throw new LimitRefusal('expired', { status: 401, message: 'the token has ended' });
  }

  #complete(
    { request, socket, head, askedAt, offer }: Upgrade<HandshakeRequest>,
    route: UpgradeRoute,
    admission: Admitted,
  ): void {
    socket.off('error', ignore);
    route.server.handleUpgrade(request, socket, head, (ws) => {
      const client = ws as WsChannelSocket;
      // Nothing is read before `handleConnection` has settled; the kernel bounds what is kept.
      client.pause();
      // From here on the connection keeps its place.
      socket.off('close', admission.leave);
      const connection = this.engine.accept(client, route.endpoint, {
        socket: client,
        principal: admission.principal,
        user: admission.user,
        expiresAt: admission.expiresAt,
        issuedAt: admission.issuedAt,
        claims: admission.claims,
        renew: this.#renewals.of(request, route.handshake, admission),
        params: request.params,
        ours: offer.ours !== undefined,
        address: request.ip,
        handshakeMs: this.engine.clock.now() - askedAt,
        place: admission.place,
      });
      client.data = admission.data;
      const { deflatesFrom, maxMessageBytes } = route.endpoint;
      const extensions = request.headers['sec-websocket-extensions'];
      client.attach(connection, socket, deflatesFrom === undefined ? 'own' : sharedDeflate(extensions));
      if (deflatesFrom !== undefined && client.extensions !== '') inflateAtOnce(client, maxMessageBytes);
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

  #refuse(upgrade: Upgrade<IncomingMessage>, error: unknown, reason?: RefusalReason): void {
    const refusal = error instanceof HandshakeRefusal ? error : new HandshakeRefusal(500);
    if (refusal !== error) this.engine.observers.failed({ where: 'the handshake', error });
    try {
      this.#report(upgrade, reason ?? refusal.reason, refusal);
      this.#refuser.refuse(upgrade, refusal);
    } catch (failure) {
      // A header with a line break, a body without JSON: the peer is to have an answer all the same.
      this.engine.observers.failed({ where: 'the handshake', error: failure });
      this.#refuser.refuse(upgrade, new HandshakeRefusal(500));
    }
  }

  #report(
    { request, askedAt }: Upgrade<IncomingMessage>,
    reason: RefusalReason,
    { status, text, advice }: Verdict,
  ): void {
    // Without the query: tokens do not belong there, but some put them there.
    const url = (request.url ?? '').split('?', 1)[0] ?? '';
    const address = readAddress(request, this.options.trustedHops);
    const durationMs = this.engine.clock.now() - askedAt;
    this.engine.observers.refused({ reason, status, message: text, url, address, durationMs, advice });
  }
}

/**
 * Names and values. Node leaves out of `headers` what stands behind so many, without a word: an `Origin` there would
 * count as missing.
 */
const MAX_RAW_HEADERS = 2_000;

/** Of the paths that there are, in a line of the log. */
const MAX_PATHS_TOLD = 5;

/** What a path leads to. */
interface Match {
  readonly value: UpgradeRoute;
  readonly params: Record<string, string>;
}

/** What is reported of a refusal. */
type Verdict = Pick<HandshakeRefusal, 'status' | 'text' | 'advice'>;

/** Who is let in, and what it leaves when it goes. */
interface Admitted extends Admission {
  readonly place: Place;
  /** Listens for the end of the socket until there is a connection. */
  readonly leave: () => void;
}

/** One upgrade on its way. */
export interface Upgrade<Request extends IncomingMessage> {
  readonly request: Request;
  readonly socket: Duplex;
  readonly head: Buffer;
  /** When it came, on the clock of the engine. */
  readonly askedAt: number;
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
  return new LimitRefusal('not_ready', { status: 503, message: 'the server shuts down' });
}

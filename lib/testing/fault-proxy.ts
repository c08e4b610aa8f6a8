import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { Random } from '../core/random.interface.js';
import { FaultLink } from './fault-link.js';
import type { FaultDirection, Faults } from './fault-pipe.js';

export type { FaultDirection } from './fault-pipe.js';

const NOWHERE = { toServer: false, toClient: false };

/**
 * How to start a {@link FaultProxy}.
 *
 * @publicApi
 */
export interface FaultProxyOptions {
  /** Where connections are passed on to. `host` is `127.0.0.1` unless given. */
  readonly target: { readonly host?: string; readonly port: number };
  /** Draws the jitter. Give a seeded one to replay a test. Default: `Math.random`. */
  readonly random?: Pick<Random, 'next'>;
}

/**
 * A TCP proxy that misbehaves on demand: the network between a client and a server, or between a server
 * and Redis. Without a fault it passes bytes, half-closes and resets on as they come. A fault holds for
 * the connections that exist and for those to come.
 *
 * It throttles with real back-pressure: whenever the link is full or silent it stops reading, in both
 * directions alike, so that first its own buffer (a chunk of 64 KiB), then the buffers of the kernel and
 * at last those of the sender fill, as behind a slow reader.
 *
 * @example
 * ```ts
 * const proxy = await FaultProxy.start({ target: { port } });
 * const client = await TestClient.connect(proxy.url('/chat'));
 *
 * proxy.blackHole();
 * ```
 *
 * @publicApi
 */
export class FaultProxy {
  /** When true, new connections are accepted and reset at once. Those that exist go on. Default: false. */
  refuse = false;

  readonly #faults: Faults;
  readonly #links = new Set<FaultLink>();
  #closing: Promise<void> | undefined;

  private constructor(
    private readonly server: Server,
    private readonly target: { readonly host: string; readonly port: number },
    random: () => number,
    /** The port it listens on, on `127.0.0.1`: a free one, chosen by the system. */
    readonly port: number,
  ) {
    this.#faults = noFaults(random);
    server.on('connection', (client) => this.#accept(client));
  }

  /** Resolves when the proxy listens. The target hears of it when a client comes: one connection per client. */
  static async start({ target, random }: FaultProxyOptions): Promise<FaultProxy> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { host = '127.0.0.1', port } = target;
    const draw = random ? () => random.next() : Math.random;
    return new FaultProxy(server, { host, port }, draw, portOf(server));
  }

  /** Where a WebSocket client connects to: `ws://127.0.0.1:<port><path>`. */
  url(path = '/'): string {
    return `ws://127.0.0.1:${this.port}${path.startsWith('/') ? path : `/${path}`}`;
  }

  /**
   * How long every byte is under way, in milliseconds, in each direction: a round trip takes twice as
   * long. The end of a stream is delayed as well, the TCP handshake is not. Latency alone keeps up to
   * 1 MiB under way. What is under way keeps the latency it started with. Default: 0.
   *
   * @throws RangeError on a negative or non-finite number, like {@link jitterMs} and {@link bytesPerSecond}.
   */
  get latencyMs(): number {
    return this.#faults.latencyMs;
  }
  set latencyMs(latencyMs: number) {
    this.#change({ latencyMs: atLeastZero('latencyMs', latencyMs) });
  }

  /**
   * Up to this many milliseconds on top of {@link latencyMs}, drawn for each chunk. Nothing overtakes:
   * what follows a late chunk is late, too. Default: 0.
   */
  get jitterMs(): number {
    return this.#faults.jitterMs;
  }
  set jitterMs(jitterMs: number) {
    this.#change({ jitterMs: atLeastZero('jitterMs', jitterMs) });
  }

  /**
   * Throughput of each connection in each direction, in bytes per second; `0` does not limit it. Bytes
   * trickle in slices of 20 ms, and no more is read than the link can carry: the sender's buffers fill.
   * A change holds for what waits, too. Default: 0.
   */
  get bytesPerSecond(): number {
    return this.#faults.bytesPerSecond;
  }
  set bytesPerSecond(bytesPerSecond: number) {
    this.#change({ bytesPerSecond: atLeastZero('bytesPerSecond', bytesPerSecond) });
  }

  /** Connections accepted and neither closed on both sides nor broken by a fault; held ones count. */
  get connections(): number {
    return [...this.#links].filter((link) => link.live).length;
  }

  /** Bytes passed on so far, over all connections: a snapshot. What is held or under way does not count yet. */
  get bytes(): Readonly<Record<FaultDirection, number>> {
    return { ...this.#faults.bytes };
  }

  /**
   * Falls silent: nothing passes in `direction`, or in either without one, and neither side is told. Bytes, the
   * end of a stream and resets are kept, reading stops, and buffers fill as on a cable that was pulled. What the
   * kernel has taken before still arrives. New connections are accepted; the target does not hear of them
   * unless the way to it is open.
   *
   * With `toClient` alone the client is deaf: the server gets all that it says, and its answers are lost to it.
   * Each call replaces the one before.
   */
  blackHole(direction?: FaultDirection): void {
    const toServer = direction !== 'toClient';
    const toClient = direction !== 'toServer';
    this.#change({ blackHoled: { toServer, toClient } });
  }

  /** Ends a {@link blackHole}: what was held is passed on in order, held connections reach the target. */
  heal(): void {
    this.#change({ blackHoled: NOWHERE });
  }

  /**
   * Resets (RST) both sides of every connection, even in a {@link blackHole}. Both see `ECONNRESET`, a
   * WebSocket 1006. What is under way is lost, and so may be what a side has received but not read.
   */
  reset(): void {
    for (const link of this.#links) link.reset();
  }

  /**
   * Breaks one connection after this many further bytes in `direction`, counted over all connections: the
   * one that carries the last of them. It cuts once, and anywhere, also inside a frame. A later call
   * replaces this one.
   *
   * The sender is reset. The receiver gets every byte up to the cut and then the end of the stream, since
   * a reset could discard what it has not read; its socket ends when it closes. A WebSocket sees 1006 on
   * both sides.
   *
   * @param bytes - `0` cuts before the next byte.
   * @param direction - `toClient` unless given.
   * @throws RangeError when `bytes` is not an integer of at least 0.
   */
  cutAfter(bytes: number, direction: FaultDirection = 'toClient'): void {
    const remainingBytes = wholeNumber('cutAfter', bytes);
    this.#change({ cut: { type: 'cut', direction, remainingBytes } });
  }

  /**
   * As {@link cutAfter}, which it replaces, and the receiver is reset as well: it may lose what it has not
   * read by then.
   */
  resetAfter(bytes: number, direction: FaultDirection = 'toClient'): void {
    const remainingBytes = wholeNumber('resetAfter', bytes);
    this.#change({ cut: { type: 'reset', direction, remainingBytes } });
  }

  /** Stops listening and destroys every connection; resolves when all sockets are closed. May be called twice. */
  close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  /** The same as {@link close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #shutDown(): Promise<void> {
    const stopped = once(this.server, 'close');
    this.server.close();
    for (const link of this.#links) link.destroy();
    await Promise.all([stopped, ...[...this.#links].map((link) => link.closed)]);
  }

  #change(faults: Partial<Faults>): void {
    Object.assign(this.#faults, faults);
    for (const link of this.#links) link.update();
  }

  #accept(client: Socket): void {
    const link = new FaultLink(client, this.target, this.#faults);
    this.#links.add(link);
    void link.closed.then(() => this.#links.delete(link));
    if (this.refuse) link.reset();
    else link.update();
  }
}

function noFaults(random: () => number): Faults {
  return {
    latencyMs: 0,
    jitterMs: 0,
    bytesPerSecond: 0,
    blackHoled: NOWHERE,
    bytes: { toServer: 0, toClient: 0 },
    random,
  };
}

function atLeastZero(name: string, value: number): number {
  if (Number.isFinite(value) && value >= 0) return value;
  throw new RangeError(`${name} (${value}) must be a finite number of at least 0; 0 turns it off.`);
}

function wholeNumber(method: string, bytes: number): number {
  if (Number.isSafeInteger(bytes) && bytes >= 0) return bytes;
  throw new RangeError(
    `${method}: bytes (${bytes}) must be an integer of at least 0; 0 breaks before the next byte.`,
  );
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('A listening TCP server has a port.');
  return address.port;
}

import type { ClientClock, ClientRandom } from './clock.interface.js';
import type { QueueStorage } from './queue-storage.interface.js';
import { systemClock, systemRandom } from './system.js';
import type { WebSocketConstructor } from './web-socket.interface.js';

/**
 * Gives the token for an attempt to connect; nothing (or `''`) connects without one.
 *
 * @param context - `refresh` is true where a new token is needed: the one before has at most a fifth of its
 * time left, or is a day old, or the server has refused it (4401, 4501).
 *
 * @publicApi
 */
export type TokenSource = (context: {
  readonly refresh: boolean;
}) => string | null | undefined | Promise<string | null | undefined>;

/**
 * Who connects, how patiently, and how much may wait. Every option has a default, and is checked by the
 * constructor.
 *
 * @publicApi
 */
export interface ChannelsClientOptions {
  /**
   * Who this is. A function is asked before every attempt, with `{ refresh: true }` ahead of the end of the session, and
   * at least once a day, so that it goes on, and once more when the server has refused the token, before the client gives up. Travels in the
   * subprotocol and in a frame, never in the url.
   */
  readonly token?: string | TokenSource;

  /**
   * `'plain'` talks to a gateway behind the stock adapter: no subprotocol, no commands, no channels, and
   * `send` resolves when the frame is written.
   *
   * @default 'channels'
   */
  readonly server?: 'channels' | 'plain';

  /**
   * The constructor of WebSockets. Needed where there is no global one, as in Node 20.
   *
   * @default globalThis.WebSocket
   */
  readonly WebSocket?: WebSocketConstructor;

  /**
   * How long an attempt may take at most until the socket is open, the token function included, in
   * milliseconds. Each attempt draws its time between half of it and the whole.
   *
   * @default 10_000
   */
  readonly connectTimeoutMs?: number;

  /**
   * How long the server may take to answer `$hello`, in milliseconds. Then the attempt has failed.
   *
   * @default 5_000
   */
  readonly helloTimeoutMs?: number;

  /**
   * Upper end of the first wait between two attempts, in milliseconds. Each wait is drawn evenly from zero
   * to its upper end, which doubles from attempt to attempt and never passes `maxRetryDelayMs`.
   *
   * @default 500
   */
  readonly minRetryDelayMs?: number;

  /**
   * Upper end of every wait, in milliseconds.
   *
   * @default 30_000
   */
  readonly maxRetryDelayMs?: number;

  /**
   * How long a connection must have been open to count as stable, in milliseconds: only then the next wait
   * starts from the beginning.
   *
   * @default 10_000
   */
  readonly stableAfterMs?: number;

  /**
   * How often in a row, without a stable connection between, the client tries again. Then it is `closed`. A
   * server that gives the client a slot to come back in has not failed it, so that such attempts do not count.
   *
   * @default Infinity
   */
  readonly maxRetries?: number;

  /**
   * How many messages may wait for their answer. One more rejects with `queue_full`.
   *
   * @default 1_000
   */
  readonly maxQueue?: number;

  /**
   * How many bytes the frames of those messages may have together; also the backlog of the socket over
   * which `emit` sends nothing.
   *
   * @default 4_194_304
   */
  readonly maxQueueBytes?: number;

  /**
   * How many publications an iterator of a channel may lag behind. One more ends it with `queue_full`.
   *
   * @default 1_000
   */
  readonly maxBuffered?: number;

  /**
   * Keeps what has no answer yet, so that a reload of the page loses nothing: `LocalStorageQueue` of
   * `nestjs-channels/client/storage`, or one of your own.
   */
  readonly storage?: QueueStorage;

  /** Time, for tests. */
  readonly clock?: ClientClock;

  /** Chance, for tests, and for platforms without `crypto.getRandomValues`. */
  readonly random?: ClientRandom;
}

/** The options of a client with every default filled in. */
export interface ResolvedClientOptions extends Required<Omit<ChannelsClientOptions, 'token' | 'storage'>> {
  readonly token: string | TokenSource | undefined;
  readonly storage: QueueStorage | undefined;
  readonly url: string;
}

export const CLIENT_DEFAULTS = {
  server: 'channels',
  connectTimeoutMs: 10_000,
  helloTimeoutMs: 5_000,
  minRetryDelayMs: 500,
  maxRetryDelayMs: 30_000,
  stableAfterMs: 10_000,
  maxRetries: Infinity,
  maxQueue: 1_000,
  maxQueueBytes: 4_194_304,
  maxBuffered: 1_000,
} as const satisfies ChannelsClientOptions;

type Settings = Required<Omit<ChannelsClientOptions, 'token' | 'WebSocket' | 'storage' | 'clock' | 'random'>>;

/** The longest delay of a timer, in milliseconds; runtimes fire a longer one at once. */
export const MAX_TIMER_MS = 2_147_483_647;

/** @throws TypeError naming the option that cannot be used, what was given, and what to do */
export function resolveClientOptions(
  url: string | URL,
  { token, WebSocket, storage, clock, random, ...given }: ChannelsClientOptions = {},
): ResolvedClientOptions {
  const options: Settings = { ...CLIENT_DEFAULTS };
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    if (name !== 'server') checkNumber(name, value);
    Object.assign(options, { [name]: value });
  }
  const { server } = options;
  check('server', server, server === 'plain' || server === 'channels', "'channels' or 'plain'");
  if (server === 'plain' && token) {
    throw new TypeError("A 'plain' server takes no token: use a cookie.");
  }
  if (token && typeof token === 'string') checkToken(token);
  check('storage', storage, !storage || typeof storage.open === 'function', 'a QueueStorage');
  const href = String(url);
  check('url', href, /^((ws|http)s?:\/)?\//.test(href), 'wss:// or ws://, or a path in a page');
  return {
    ...options,
    token,
    storage,
    url: href,
    WebSocket: WebSocket ?? globalWebSocket(),
    clock: clock ?? systemClock,
    random: random ?? systemRandom(),
  };
}

/** @throws TypeError when the token cannot travel: the server takes visible ASCII */
export function checkToken(token: string): string {
  if (/^[!-~]+$/.test(token)) return token;
  // Without the token: the text may be written to a log.
  throw new TypeError('token must be visible ASCII, as a JWT is.');
}

function globalWebSocket(): WebSocketConstructor {
  const { WebSocket } = globalThis as { WebSocket?: WebSocketConstructor };
  if (WebSocket) return WebSocket;
  throw new TypeError("There is no global WebSocket: pass { WebSocket }, for example from the package 'ws'.");
}

/** `0` is a number of retries, and a time to be stable; elsewhere it would let nothing happen. */
function checkNumber(name: string, value: unknown): void {
  const smallest = /Retries|stable/.test(name) ? 0 : 1;
  const largest = name.endsWith('Ms') ? MAX_TIMER_MS : Infinity;
  const isFine = typeof value === 'number' && value >= smallest && value <= largest;
  check(name, value, isFine, `a number from ${smallest} to ${largest}`);
}

function check(name: string, value: unknown, isFine: boolean, what: string): void {
  if (!isFine) throw new TypeError(`${name} (${String(value)}) must be ${what}.`);
}

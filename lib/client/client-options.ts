import type { ClientClock, ClientRandom } from './clock.interface.js';
import { systemClock, systemRandom } from './system.js';
import type { WebSocketConstructor } from './web-socket.interface.js';

/**
 * Gives the token for an attempt to connect; nothing (or `''`) connects without one.
 *
 * @param context - `refresh` is true after the server has refused the token before (4401, 4501).
 *
 * @publicApi
 */
export type TokenSource = (context: {
  readonly refresh: boolean;
}) => string | null | undefined | Promise<string | null | undefined>;

/** @publicApi */
export interface ChannelsClientOptions {
  /**
   * Who this is. A function is asked before every attempt, and once more with `{ refresh: true }` when the
   * server has refused the token, before the client gives up. Travels in the subprotocol, never in the url.
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
   * How long an attempt may take until the socket is open, the token function included, in milliseconds.
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
   * to its upper end, which doubles from attempt to attempt.
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
   * How often in a row, without a stable connection between, the client tries again. Then it is `closed`.
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

  /** Time, for tests. */
  readonly clock?: ClientClock;

  /** Chance, for tests, and for platforms without `crypto.getRandomValues`. */
  readonly random?: ClientRandom;
}

/** The options of a client with every default filled in. */
export interface ResolvedClientOptions extends Required<Omit<ChannelsClientOptions, 'token'>> {
  readonly token: string | TokenSource | undefined;
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

type NumberOption = {
  [Name in keyof typeof CLIENT_DEFAULTS]: (typeof CLIENT_DEFAULTS)[Name] extends number ? Name : never;
}[keyof typeof CLIENT_DEFAULTS];

/** The smallest value of each number. */
const SMALLEST: Readonly<Record<NumberOption, number>> = {
  connectTimeoutMs: 1,
  helloTimeoutMs: 1,
  minRetryDelayMs: 1,
  maxRetryDelayMs: 1,
  stableAfterMs: 0,
  maxRetries: 0,
  maxQueue: 1,
  maxQueueBytes: 1,
  maxBuffered: 1,
};

/** The longest delay of a timer, in milliseconds; runtimes fire a longer one at once. */
export const MAX_TIMER_MS = 2_147_483_647;

/** @throws TypeError or RangeError naming the option that cannot be used, what was given, and what to do. */
export function resolveClientOptions(
  url: string | URL,
  given: ChannelsClientOptions = {},
): ResolvedClientOptions {
  const options = { ...CLIENT_DEFAULTS, ...defined(given) };
  for (const [name, smallest] of Object.entries(SMALLEST))
    checkNumber(name, options[name as NumberOption], smallest);
  if (options.minRetryDelayMs > options.maxRetryDelayMs) {
    throw new RangeError(
      `minRetryDelayMs (${options.minRetryDelayMs}) must not exceed maxRetryDelayMs (${options.maxRetryDelayMs}); raise the latter.`,
    );
  }
  const { server, token } = options;
  if (server !== 'channels' && server !== 'plain') {
    throw new TypeError(`server (${JSON.stringify(server)}) must be 'channels' or 'plain'.`);
  }
  if (server === 'plain' && token !== undefined) {
    throw new TypeError(
      "token cannot be told to a server that does not know the subprotocol: leave it out with server: 'plain', and let a cookie say who this is.",
    );
  }
  if (typeof token === 'string') checkToken(token);
  return {
    ...options,
    token,
    url: resolveUrl(url),
    WebSocket: options.WebSocket ?? globalWebSocket(),
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom(),
  };
}

/**
 * @throws TypeError when the token cannot travel: the server takes visible ASCII
 */
export function checkToken(token: unknown): string {
  if (typeof token === 'string' && /^[\x21-\x7e]+$/.test(token)) return token;
  // The token itself stays out of the text: it may be written to a log.
  throw new TypeError(
    `token must be a string of visible ASCII characters, as a JWT is, got ${typeof token === 'string' ? 'other characters' : typeof token}.`,
  );
}

function resolveUrl(given: string | URL): string {
  const base = (globalThis as { location?: { href: string } }).location?.href;
  let url = String(given);
  if (!/^[a-z]+:/i.test(url) && base !== undefined) url = new URL(url, base).href;
  url = url.replace(/^http/i, 'ws');
  if (/^wss?:\/\/[^/]/i.test(url)) return url;
  throw new TypeError(
    `The url (${JSON.stringify(String(given))}) must begin with ws://, wss://, http:// or https://; only in a page it may be a path.`,
  );
}

function globalWebSocket(): WebSocketConstructor {
  const { WebSocket } = globalThis as { WebSocket?: WebSocketConstructor };
  if (WebSocket) return WebSocket;
  throw new TypeError(
    "There is no global WebSocket here (Node has one since version 22): pass { WebSocket }, for example from the package 'ws'.",
  );
}

function checkNumber(name: string, value: unknown, smallest: number): void {
  const largest = name.endsWith('Ms') ? MAX_TIMER_MS : Infinity;
  if (typeof value === 'number' && value >= smallest && value <= largest) return;
  throw new RangeError(
    `${name} (${String(value)}) must be a number of at least ${smallest}${largest === Infinity ? '' : ` and at most ${largest}`}.`,
  );
}

function defined(options: ChannelsClientOptions): ChannelsClientOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

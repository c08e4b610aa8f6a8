import { isChannelName, MAX_CHANNEL_NAME_LENGTH } from '../protocol/index.js';
import type { HistoryRule } from './broker.interface.js';
import { Pattern, type PatternSyntax } from './pattern.js';
import { checkNotReserved } from './reserved-channels.js';

const BRACED = /^\{(.*)\}$/;

/** Channel names and patterns: `:` separates segments, a parameter is written `{name}`. */
export const CHANNEL_SYNTAX: PatternSyntax = {
  separator: ':',
  parameter: (segment) => BRACED.exec(segment)?.[1],
  isLiteral: (segment) => segment === '' || isChannelName(segment),
  segmentRule: 'a parameter, written {name}, or text of [A-Za-z0-9_.@=+~-]',
  decode: (segment) => (segment === '' ? undefined : segment),
};

/** The names of the parameters of a channel pattern: `'room'` for `'chat:{room}'`. */
export type ChannelParams<Name extends string> = Name extends `${string}{${infer Param}}${infer Rest}`
  ? Param | ChannelParams<Rest>
  : never;

/** What holds for every channel that a pattern matches. */
export interface ChannelOptions {
  /**
   * Bytes of publications that are kept for a subscriber while its `@SubscribeChannel` method runs.
   * When more come, they are dropped and the subscriber is told by `$gap` after its ack. On a channel with
   * history nothing is kept for that; there it is for what comes while a replay is sent, and more of it is read
   * from the history again.
   *
   * @default 65_536
   */
  joinBufferBytes?: number;

  /**
   * Keeps the newest publications of each channel, so that a client that was away gets what it has missed, and
   * is told where that is not possible. `true` keeps 100 of them for five minutes.
   *
   * @default false
   */
  history?: boolean | ChannelHistoryOptions;

  /**
   * Tells everybody in a channel who else is there: `$presence` lists them, `$join` and `$leave` tell who comes
   * and goes. They are shown by their principal as it is, usually the id of the user.
   *
   * @default false
   */
  presence?: boolean;

  /**
   * What becomes of a connection that reads slower than the channel publishes. Only the backlog of that very
   * connection decides: what was written to it and is not taken yet.
   *
   * - `'disconnect'`: what would go beyond `maxOutboxBytes` ends the connection; with a history the client
   *   comes back and gets what it has missed
   * - `'drop-oldest'`: publications wait, and the oldest of them make room where it goes beyond `maxOutboxBytes`
   * - `'latest'`: only the newest waits; for cursors, prices and the like, where each replaces the one before
   *
   * The next publication that the reader gets says how many it has lost, as `dropped`. They are not sent again,
   * also where the channel has a history.
   *
   * @default 'disconnect'
   */
  overflow?: Overflow;
}

/** What a channel does for a reader that is slower than it, see {@link ChannelOptions.overflow}. */
export type Overflow = 'disconnect' | 'drop-oldest' | 'latest';

/** What a channel keeps of its publications, in the memory of its broker. */
export interface ChannelHistoryOptions {
  /**
   * How many publications, the newest of them. Each takes as many bytes as its data.
   *
   * @default 100
   */
  size?: number;

  /**
   * For how long each of them, in milliseconds.
   *
   * @default 300_000
   */
  ttlMs?: number;
}

/** The options of a channel with every default filled in. */
export interface ResolvedChannelOptions {
  /** See {@link ChannelOptions.joinBufferBytes}. */
  readonly joinBufferBytes: number;
  /** `undefined` where the channel has none. */
  readonly history: HistoryRule | undefined;
  /** See {@link ChannelOptions.presence}. */
  readonly presence: boolean;
  /** See {@link ChannelOptions.overflow}. */
  readonly overflow: Overflow;
}

export const CHANNEL_DEFAULTS: ResolvedChannelOptions = {
  joinBufferBytes: 65_536,
  history: undefined,
  presence: false,
  overflow: 'disconnect',
};

const OVERFLOWS: readonly Overflow[] = ['disconnect', 'drop-oldest', 'latest'];

const HISTORY_DEFAULTS: HistoryRule = { size: 100, ttlMs: 300_000 };

/** A channel pattern with its options, in one place for the gateway and those who publish without one. */
export interface ChannelDefinition<Name extends string = string> {
  readonly pattern: Name;
  readonly options: ResolvedChannelOptions;

  /**
   * The name of one channel of this pattern.
   *
   * @throws TypeError where a parameter is missing or may not stand in a name
   */
  name(params: Readonly<Record<ChannelParams<Name>, string | number>>): string;
}

/**
 * Defines a channel pattern once.
 *
 * @example
 * ```ts
 * export const chat = defineChannel('chat:{room}');
 * await channels.publish(chat.name({ room: 'lobby' }), 'message', { text: 'hello' });
 * ```
 * @throws TypeError where the pattern is none or begins with `nestjs-channels`, or an option has no meaning
 * @publicApi
 */
export function defineChannel<const Name extends string>(
  pattern: Name,
  options: ChannelOptions = {},
): ChannelDefinition<Name> {
  checkNotReserved(pattern);
  return defineOwnChannel(pattern, options);
}

/** {@link defineChannel} for this package, which may have names that no application can define. */
export function defineOwnChannel<const Name extends string>(
  pattern: Name,
  options: ChannelOptions = {},
): ChannelDefinition<Name> {
  const parsed = new Pattern(pattern, CHANNEL_SYNTAX);
  checkMatchesNames(parsed);
  const resolved = resolveChannelOptions(pattern, options);
  return {
    pattern,
    options: resolved,
    name: (params) => channelName(parsed, params),
  };
}

/** A pattern that is empty, or longer than any name, would be a channel that nobody can ever join. */
function checkMatchesNames({ text, segments }: Pattern): void {
  const shortest = segments.map((segment) =>
    CHANNEL_SYNTAX.parameter(segment) === undefined ? segment : 'x',
  );
  if (isChannelName(shortest.join(CHANNEL_SYNTAX.separator))) return;
  throw new TypeError(`"${text}" matches no name: a channel has 1 to ${MAX_CHANNEL_NAME_LENGTH} characters.`);
}

function resolveChannelOptions(
  pattern: string,
  {
    joinBufferBytes = CHANNEL_DEFAULTS.joinBufferBytes,
    history = false,
    presence = CHANNEL_DEFAULTS.presence,
    overflow = CHANNEL_DEFAULTS.overflow,
  }: ChannelOptions,
): ResolvedChannelOptions {
  checkWhole(pattern, 'joinBufferBytes', joinBufferBytes, 0);
  checkOverflow(pattern, overflow);
  return { joinBufferBytes, history: resolveHistory(pattern, history), presence, overflow };
}

function resolveHistory(pattern: string, history: boolean | ChannelHistoryOptions): HistoryRule | undefined {
  if (history === false) return undefined;
  const { size = HISTORY_DEFAULTS.size, ttlMs = HISTORY_DEFAULTS.ttlMs } = history === true ? {} : history;
  checkWhole(pattern, 'history.size', size, 1);
  checkWhole(pattern, 'history.ttlMs', ttlMs, 1);
  return { size, ttlMs };
}

function checkOverflow(pattern: string, overflow: unknown): void {
  if (OVERFLOWS.some((known) => known === overflow)) return;
  throw new TypeError(
    `"${pattern}": overflow (${String(overflow)}) must be 'disconnect', 'drop-oldest' or 'latest'.`,
  );
}

function checkWhole(pattern: string, option: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new TypeError(`"${pattern}": ${option} (${value}) must be a whole number of at least ${least}.`);
}

function channelName(pattern: Pattern, params: Readonly<Record<string, unknown>>): string {
  const segments = pattern.segments.map((segment) => {
    const parameter = CHANNEL_SYNTAX.parameter(segment);
    return parameter === undefined ? segment : segmentOf(pattern, parameter, params);
  });
  const name = segments.join(CHANNEL_SYNTAX.separator);
  if (!isChannelName(name)) {
    throw new TypeError(
      `${JSON.stringify(name)} is no channel name: 1 to 255 characters of [A-Za-z0-9_.:@=+~-] are.`,
    );
  }
  return name;
}

function segmentOf(pattern: Pattern, parameter: string, params: Readonly<Record<string, unknown>>): string {
  const value = Object.hasOwn(params, parameter) ? params[parameter] : undefined;
  const segment = typeof value === 'number' ? String(value) : value;
  if (typeof segment === 'string' && segment !== '' && !segment.includes(CHANNEL_SYNTAX.separator)) {
    return segment;
  }
  throw new TypeError(
    `"${pattern.text}": {${parameter}} must be one segment, a text or a number; got ${JSON.stringify(value)}.`,
  );
}

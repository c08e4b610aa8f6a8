import { isChannelName, RESERVED_EVENT_PREFIX } from '../protocol/index.js';
import { LOAD_FLAGS } from './load-flags.js';
import { channelOf, hasRooms, MessageTemplate } from './message-template.js';
import { readFlags, type FlagValues } from './read-flags.js';
import { readTokens } from './read-tokens.js';
import { UsageError } from './usage-error.js';

/** What one run does. */
export interface LoadOptions {
  readonly url: string;
  readonly connections: number;
  readonly rooms: readonly string[];
  /** A pattern with `{room}`, or the name of one channel. */
  readonly channel: string;
  readonly channelsPerConnection: number;
  /** Without it nothing is sent. */
  readonly event: string | undefined;
  readonly template: MessageTemplate;
  readonly messagesPerSecond: number;
  readonly durationMs: number;
  readonly connectsPerSecond: number;
  /** Connections take them in turn. Empty: without a token. */
  readonly tokens: readonly string[];
  readonly jsonPath: string | undefined;
  readonly isQuiet: boolean;
}

const MS_PER_SECOND = 1_000;

/** What a number may be; without `isWhole` it may have decimals. */
interface Bounds {
  readonly least: number;
  readonly most: number;
  readonly isWhole?: true;
}

const BOUNDS = {
  connections: { least: 1, most: 60_000, isWhole: true },
  rooms: { least: 1, most: 60_000, isWhole: true },
  'per-connection': { least: 1, most: 1_000, isWhole: true },
  rate: { least: 0.01, most: 100_000 },
  duration: { least: 0.1, most: 86_400 },
  ramp: { least: 0.1, most: 10_000 },
} as const satisfies Readonly<Partial<Record<keyof typeof LOAD_FLAGS, Bounds>>>;

/**
 * Reads what stands behind `load`.
 *
 * @returns `help` where that is all that is wanted
 * @throws UsageError for what cannot be used; it never repeats a token
 */
export function parseLoadOptions(args: readonly string[]): LoadOptions | 'help' {
  const { values, switches, positionals } = readFlags(args);
  if (switches.has('help')) return 'help';
  const channel = values['channel'] ?? LOAD_FLAGS.channel.default;
  const rooms = readRooms(values['rooms'], channel);
  return {
    url: readUrl(positionals),
    connections: readNumber(values, 'connections'),
    rooms,
    channel,
    channelsPerConnection: readPerConnection(values, rooms.length),
    event: readEvent(values['event']),
    template: readTemplate(values['data'] ?? LOAD_FLAGS.data.default),
    messagesPerSecond: readNumber(values, 'rate'),
    durationMs: readNumber(values, 'duration') * MS_PER_SECOND,
    connectsPerSecond: readNumber(values, 'ramp'),
    tokens: readTokens(values['token'], values['token-file']),
    jsonPath: values['json'],
    isQuiet: switches.has('quiet'),
  };
}

function readUrl(positionals: readonly string[]): string {
  const [text, ...more] = positionals;
  if (text === undefined || more.length > 0) {
    throw new UsageError(`${positionals.length} urls were given; give one, such as ws://127.0.0.1:3000/ws.`);
  }
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^(ws|http)s?:$/.test(url.protocol)) {
    throw new UsageError(`url (${withoutSecrets(text)}) must begin with ws:// or wss://.`);
  }
  // A socket takes none, and a result must not repeat a password.
  if (url.hash || url.username || url.password)
    throw new UsageError('url must have neither a user nor a # in it; a token goes to --token-file.');
  return url.href;
}

/** What may stand in a url that is nobody else's business: a user, and the query. */
function withoutSecrets(text: string): string {
  return text.replace(/\/\/[^/]*@/, '//').replace(/[?#].*$/, '');
}

function readNumber(values: FlagValues, name: keyof typeof BOUNDS): number {
  const bounds: Bounds = BOUNDS[name];
  const standard = LOAD_FLAGS[name].default;
  const text = values[name] ?? standard;
  const number = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  const isFine = number >= bounds.least && number <= bounds.most;
  if (isFine && (!bounds.isWhole || Number.isInteger(number))) return number;
  const what = bounds.isWhole ? 'a whole number' : 'a number';
  throw new UsageError(
    `--${name} (${text}) must be ${what} from ${bounds.least} to ${bounds.most}; without it, it is ${standard}.`,
  );
}

function readRooms(text: string | undefined, channel: string): readonly string[] {
  const rooms = roomNames(text, channel);
  const wrong = rooms.find((room) => room === '' || !isChannelName(channelOf(channel, room)));
  if (wrong !== undefined) {
    const name = channelOf(channel, wrong);
    throw new UsageError(
      `--channel (${channel}) makes "${name}", which is no name of a channel; correct it.`,
    );
  }
  if (new Set(rooms).size === rooms.length) return rooms;
  throw new UsageError(`--rooms (${text}) names a room twice; name each once.`);
}

/** A number makes `room-1` and so on. */
function roomNames(text: string | undefined, channel: string): readonly string[] {
  if (!hasRooms(channel)) {
    if (text === undefined || text === '1') return ['room-1'];
    throw new UsageError(
      `--rooms (${text}) needs {room} in --channel (${channel}); put it there, or leave --rooms out.`,
    );
  }
  if (text?.includes(',') || /^[^\d.-]/.test(text ?? '')) return text?.split(',') ?? [];
  const count = readNumber({ rooms: text }, 'rooms');
  return Array.from({ length: count }, (_, index) => `room-${index + 1}`);
}

function readPerConnection(values: FlagValues, rooms: number): number {
  const count = readNumber(values, 'per-connection');
  if (count <= rooms) return count;
  throw new UsageError(
    `--per-connection (${count}) must be at most the number of rooms (${rooms}); give more --rooms.`,
  );
}

function readEvent(event: string | undefined): string | undefined {
  if (event === undefined || (event !== '' && !event.startsWith(RESERVED_EVENT_PREFIX))) return event;
  throw new UsageError(`--event (${event}) must be the event of a handler; names with $ are the protocol's.`);
}

function readTemplate(json: string): MessageTemplate {
  try {
    return new MessageTemplate(JSON.parse(json));
  } catch {
    throw new UsageError(
      `--data (${json}) must be JSON, such as ${LOAD_FLAGS.data.default}; mind the quotes of the shell.`,
    );
  }
}

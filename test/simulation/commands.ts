import type { Fate } from './bus.js';
import { Chance } from './chance.js';
import type { Cut, FrameFate } from './network.js';
import { HANG_MS, type ChannelName } from './rules.js';
import type { Work } from './runs.js';

/** What happens next. `who` and `node` are taken modulo what there is. */
export type Command =
  | {
      readonly type: 'publish';
      readonly channel: ChannelName;
      readonly from: number;
      readonly at: number;
      readonly fate: Fate;
      readonly key?: string;
      readonly bytes: number;
    }
  | { readonly type: 'burst'; readonly channel: ChannelName; readonly count: number; readonly bytes: number }
  | {
      readonly type: 'send';
      readonly who: number;
      readonly event: 'work' | 'beside' | 'plain';
      readonly work: Omit<Work, 'n'>;
      readonly timeoutMs?: number;
    }
  | { readonly type: 'emit'; readonly who: number; readonly ms: number }
  | { readonly type: 'join' | 'leave' | 'reload'; readonly who: number; readonly channel: ChannelName }
  | { readonly type: 'server joins' | 'server leaves'; readonly who: number; readonly channel: ChannelName }
  | { readonly type: 'kick'; readonly who: number; readonly code: number }
  | {
      readonly type: 'cut';
      readonly who: number;
      readonly how: Cut;
      readonly lagMs: number;
      readonly to?: number;
    }
  | { readonly type: 'darken'; readonly who: number }
  | { readonly type: 'lag'; readonly who: number; readonly ms: number }
  | { readonly type: 'frame'; readonly who: number; readonly fate: FrameFate }
  | { readonly type: 'copy'; readonly pick: number; readonly how: 'same' | 'other data' | 'other event' }
  | { readonly type: 'replay as another'; readonly pick: number; readonly node: number }
  | { readonly type: 'log in'; readonly who: number; readonly as: string; readonly how: 'reset' | 'cut' }
  | { readonly type: 'close' | 'connect'; readonly who: number }
  | { readonly type: 'forbid' | 'allow'; readonly as: string; readonly channel: ChannelName }
  | { readonly type: 'crash' | 'deploy'; readonly node: number }
  | { readonly type: 'restart' | 'forget' }
  | { readonly type: 'slow joins'; readonly ms: number }
  | { readonly type: 'pass'; readonly ms: number };

/** One history: the same one plays the same way every time. */
export interface History {
  readonly seed: number;
  readonly nodes: 1 | 2;
  readonly people: 1 | 2;
  /** How long the method of a channel takes at first. */
  readonly joinMs: number;
  /** Whether the store has little room. */
  readonly isTight: boolean;
  readonly commands: readonly Command[];
}

/** How often each kind of command is drawn. Histories differ in what they are about. */
type Weights = Partial<Record<Command['type'], number>>;

const CHANNELS_MOSTLY: Weights = {
  publish: 14,
  burst: 3,
  join: 4,
  leave: 2,
  reload: 4,
  'server joins': 1,
  'server leaves': 1,
  cut: 5,
  darken: 1,
  lag: 1,
  frame: 3,
  'log in': 1,
  forbid: 1,
  allow: 1,
  kick: 1,
  crash: 1,
  deploy: 2,
  restart: 1,
  forget: 3,
  'slow joins': 1,
  pass: 10,
};

const MESSAGES_MOSTLY: Weights = {
  send: 14,
  emit: 1,
  cut: 6,
  darken: 1,
  lag: 2,
  copy: 7,
  'replay as another': 2,
  'log in': 1,
  kick: 1,
  close: 1,
  connect: 1,
  crash: 1,
  deploy: 1,
  restart: 1,
  pass: 10,
};

/** People go from node to node while publications come. */
const DEPLOYS_MOSTLY: Weights = { deploy: 3, publish: 16, lag: 3, 'slow joins': 2, pass: 12 };

const EVERYTHING: Weights = { ...MESSAGES_MOSTLY, ...CHANNELS_MOSTLY, send: 8 };

const KINDS = [CHANNELS_MOSTLY, MESSAGES_MOSTLY, DEPLOYS_MOSTLY, EVERYTHING].map((weights) =>
  Object.entries(weights).flatMap(([type, weight]) =>
    Array.from({ length: weight }, () => type as Command['type']),
  ),
);

const ROOMS: readonly ChannelName[] = ['room:a', 'room:a', 'room:a', 'room:b', 'live:a'];
const PEOPLE = ['ada', 'bob', ''];
const MOST_COMMANDS = 48;

/** Draws a history. Most are short: what is wrong usually shows in a few commands. */
export function drawHistory(seed: number): History {
  const chance = new Chance(seed);
  const nodes = chance.below(2) === 0 ? 1 : 2;
  const people = chance.below(3) === 0 ? 2 : 1;
  const isTight = chance.below(8) === 0;
  const joinMs = chance.pick([0, 0, 40]);
  const kinds = chance.pick(KINDS);
  const length = 2 + Math.floor((MOST_COMMANDS - 2) * chance.next() ** 5);
  const commands = Array.from({ length }, () => drawCommand(chance, chance.pick(kinds)));
  return { seed, nodes, people, joinMs, isTight, commands };
}

function drawCommand(chance: Chance, type: Command['type']): Command {
  const who = chance.below(2);
  const node = chance.below(2);
  const channel = chance.pick(ROOMS);
  switch (type) {
    case 'publish':
      return drawPublish(chance, chance.below(6) === 0 ? 'push:a' : channel);
    case 'burst':
      return { type, channel, count: 3 + chance.below(4), bytes: chance.pick([0, 0, 500]) };
    case 'send':
      return drawSend(chance, who);
    case 'emit':
      return { type, who, ms: chance.pick([0, 20]) };
    case 'join':
    case 'leave':
    case 'reload':
      return { type, who, channel };
    case 'server joins':
    case 'server leaves':
      return { type, who, channel: chance.pick(['push:a', 'push:a', channel]) };
    case 'kick':
      return { type, who, code: chance.pick([1_000, 1_012, 4_503]) };
    case 'cut':
      return {
        type,
        who,
        how: chance.pick(CUTS),
        lagMs: chance.pick([20, 500, 4_000]),
        to: drawNode(chance),
      };
    case 'darken':
      return { type, who };
    case 'lag':
      return { type, who, ms: chance.pick([1, 8, 40, 2_000]) };
    case 'frame':
      return { type, who, fate: chance.pick(['lost', 'twice']) };
    case 'copy':
      return { type, pick: chance.below(8), how: chance.pick(['same', 'same', 'other data', 'other event']) };
    case 'replay as another':
      return { type, pick: chance.below(8), node };
    case 'log in':
      return { type, who, as: chance.pick(PEOPLE), how: chance.pick(['reset', 'cut', 'cut']) };
    case 'close':
    case 'connect':
      return { type, who };
    case 'forbid':
    case 'allow':
      return { type, as: chance.pick(PEOPLE), channel };
    case 'crash':
    case 'deploy':
      return { type, node };
    case 'restart':
    case 'forget':
      return { type };
    case 'slow joins':
      return { type, ms: chance.pick([0, 3, 60]) };
    case 'pass':
      return { type, ms: chance.pick(PASSES) };
  }
}

const CUTS: readonly Cut[] = ['both', 'client first', 'client first', 'server first'];
const FATES: readonly Fate[] = ['arrives', 'arrives', 'arrives', 'lost', 'twice', 'late'];
const PASSES = [1, 1, 2, 3, 5, 5, 10, 10, 30, 30, 100, 300, 1_000, 6_000, 35_000, 35_000];

function drawNode(chance: Chance): number | undefined {
  return chance.below(2) === 0 ? undefined : chance.below(2);
}

function drawPublish(chance: Chance, channel: ChannelName): Command {
  const from = chance.below(2);
  const at = chance.below(2);
  const fate = chance.pick(FATES);
  const key = chance.below(5) === 0 ? chance.pick(['k', 'l']) : undefined;
  return { type: 'publish', channel, from, at, fate, key, bytes: chance.below(6) === 0 ? 300 : 0 };
}

function drawSend(chance: Chance, who: number): Command {
  const event = chance.pick(['work', 'work', 'work', 'beside', 'plain'] as const);
  const ms = chance.pick([0, 0, 2, 20, 20, 300, 3_000, chance.below(6) === 0 ? HANG_MS : 11_000]);
  const fails = chance.pick(['no', 'no', 'no', 'no', 'final', 'retryable'] as const);
  const guardMs = chance.pick([0, 0, 0, 0, 0, 5, 40, 11_000]);
  const timeoutMs = chance.pick([undefined, undefined, undefined, undefined, 3_000, 50]);
  return { type: 'send', who, event, work: { ms, fails, times: 1 + chance.below(2), guardMs }, timeoutMs };
}

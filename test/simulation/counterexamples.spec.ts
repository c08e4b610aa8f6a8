import { describe, expect, it } from 'vitest';
import type { Command, History } from './commands.js';
import { play } from './perform.js';

const ALONE = { seed: 1, nodes: 1, people: 1, joinMs: 0, isTight: false } as const;
const TWO_NODES = { ...ALONE, nodes: 2 } as const;

const WORK = { ms: 0, fails: 'no', times: 1, guardMs: 0 } as const;
const PUBLISHED = { type: 'publish', channel: 'room:a', from: 0, at: 0, fate: 'arrives', bytes: 0 } as const;

interface Found {
  readonly name: string;
  readonly world: Omit<History, 'commands'>;
  readonly commands: readonly Command[];
}

/** What the simulation has found in the library, each as small as it gets. */
const FOUND: readonly Found[] = [
  {
    // The server joined it meanwhile, and its publication overtook the ack.
    name: 'who waits to join is handed nothing yet',
    world: { ...ALONE, seed: 2_528_843_522 },
    commands: [
      { type: 'join', who: 1, channel: 'live:a' },
      { type: 'server joins', who: 1, channel: 'live:a' },
    ],
  },
  {
    // close() forgot who was logged in, and so did not see that somebody else came back.
    name: 'somebody who comes back behind a close as somebody else does not resume',
    world: { ...ALONE, seed: 1_135_618_523 },
    commands: [
      { type: 'log in', who: 0, as: '', how: 'cut' },
      { type: 'close', who: 0 },
    ],
  },
  {
    // The position outlived a leave whose ack was lost.
    name: 'who has left offline, and joins again, begins anew',
    world: { ...ALONE, seed: 753_760_670 },
    commands: [
      { type: 'leave', who: 0, channel: 'room:a' },
      { type: 'darken', who: 0 },
      { type: 'join', who: 0, channel: 'room:a' },
    ],
  },
  {
    // The position outlived a leave that came while a join was under way.
    name: 'who has left while it joined, and joins again, begins anew',
    world: { ...ALONE, seed: 763_192_664 },
    commands: [
      { type: 'reload', who: 0, channel: 'room:a' },
      { type: 'leave', who: 0, channel: 'room:a' },
      { type: 'join', who: 0, channel: 'room:a' },
      { type: 'cut', who: 0, how: 'both', lagMs: 20 },
    ],
  },
  {
    // The ack of a resume that somebody had asked for who left meanwhile was told to the next one.
    name: 'who joins while somebody else resumes begins anew',
    world: { ...ALONE, seed: 970_591_327, joinMs: 40 },
    commands: [
      { type: 'cut', who: 0, how: 'client first', lagMs: 500 },
      { type: 'pass', ms: 100 },
      { type: 'leave', who: 0, channel: 'room:a' },
      { type: 'join', who: 0, channel: 'room:a' },
    ],
  },
  {
    // A subscription whose connection was closing left the table, and so was never taken out of the hub.
    name: 'a join that waits for the broker leaves the hub when its connection closes',
    world: { ...TWO_NODES, seed: 1_400_736_394 },
    commands: [
      { type: 'burst', channel: 'room:a', count: 5, bytes: 500 },
      { type: 'join', who: 0, channel: 'room:b' },
    ],
  },
  {
    // That the server had ended it once was remembered beyond the leave.
    name: 'who leaves what the server has ended and joined, and joins again, is in',
    world: { ...ALONE, seed: 2_903_708_349 },
    commands: [
      { type: 'server leaves', who: 0, channel: 'room:a' },
      { type: 'server joins', who: 0, channel: 'room:a' },
      { type: 'pass', ms: 1 },
      { type: 'leave', who: 0, channel: 'room:a' },
      { type: 'join', who: 0, channel: 'room:a' },
    ],
  },
  {
    // That the server had joined it held beyond the connection, also for those who had come to listen since.
    name: 'who joins what the server has joined is in after a reconnect, too',
    world: { ...TWO_NODES, seed: 2_633_521_187 },
    commands: [
      { type: 'server leaves', who: 1, channel: 'room:a' },
      { type: 'server joins', who: 1, channel: 'room:a' },
      { type: 'pass', ms: 3 },
      { type: 'leave', who: 1, channel: 'room:a' },
      { type: 'pass', ms: 2 },
      { type: 'restart' },
      { type: 'join', who: 1, channel: 'room:a' },
    ],
  },
  {
    // The history was read again and again for a publication that it could not have.
    name: 'a late publication of an old epoch is dropped',
    world: { ...TWO_NODES, seed: 1_915_767_571 },
    commands: [
      PUBLISHED,
      { type: 'pass', ms: 1 },
      { type: 'forget' },
      { type: 'pass', ms: 1 },
      { type: 'forget' },
    ],
  },
  {
    // The word of a loss made the rest longer than what was counted.
    name: 'what a slow reader is told of its losses has room as well',
    world: { ...ALONE, people: 2, seed: 589_825_101 },
    commands: [
      PUBLISHED,
      PUBLISHED,
      { type: 'burst', channel: 'live:a', count: 3, bytes: 0 },
      PUBLISHED,
      { type: 'burst', channel: 'live:a', count: 3, bytes: 500 },
      { ...PUBLISHED, channel: 'live:a' },
      { ...PUBLISHED, channel: 'live:a', bytes: 300 },
      { type: 'kick', who: 1, code: 4_503 },
    ],
  },
  {
    // The history reached back to where the connection before was, but not to where it was asked from.
    name: 'who gets further by the connection before misses nothing',
    world: { ...TWO_NODES, seed: 3_027_830_447 },
    commands: [
      PUBLISHED,
      { type: 'deploy', node: 0 },
      { type: 'lag', who: 0, ms: 40 },
      PUBLISHED,
      PUBLISHED,
      { type: 'pass', ms: 7 },
      PUBLISHED,
      PUBLISHED,
    ],
  },
];

/** What the simulation took for broken, and docs/protocol.md allows. */
const ALLOWED: readonly Found[] = [
  {
    // A channel without history has no positions: what the state includes may come behind it.
    name: 'a late publication follows a state that includes it',
    world: { ...TWO_NODES, people: 2, seed: 4_059_569_543 },
    commands: [
      { ...PUBLISHED, channel: 'live:a', from: 1 },
      { type: 'server leaves', who: 1, channel: 'live:a' },
      { type: 'reload', who: 1, channel: 'live:a' },
    ],
  },
  {
    // "A process that dies between the effect and its record may run the effect twice."
    name: 'a process dies before the store has its answer',
    world: TWO_NODES,
    commands: [
      { type: 'send', who: 0, event: 'work', work: WORK },
      { type: 'pass', ms: 3 },
      { type: 'crash', node: 0 },
    ],
  },
  {
    // "the server shuts down": a $subscribe is refused before it begins, and the subscription there was goes on.
    name: 'a node that shuts down refuses to join again',
    world: TWO_NODES,
    commands: [
      PUBLISHED,
      { type: 'send', who: 0, event: 'beside', work: WORK },
      { type: 'pass', ms: 1 },
      { type: 'deploy', node: 0 },
      { type: 'reload', who: 0, channel: 'room:a' },
    ],
  },
];

describe('what a history has broken once', () => {
  it.each(FOUND)('$name', async ({ world, commands }) => {
    expect(await play({ ...world, commands })).toBe(undefined);
  });
});

describe('what is allowed', () => {
  it.each(ALLOWED)('$name', async ({ world, commands }) => {
    expect(await play({ ...world, commands })).toBe(undefined);
  });
});

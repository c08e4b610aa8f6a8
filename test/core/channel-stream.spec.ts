import { describe, expect, it } from 'vitest';
import type { HistoryPage, HistoryQuery, Position, Publication } from '../../lib/core/broker.interface.js';
import { ChannelHistory } from '../../lib/core/channel-history.js';
import { ChannelStream } from '../../lib/core/channel-stream.js';
import { Deferred } from '../support/deferred.js';
import { memoryBroker, settled } from './engine-rig.js';

const RULE = { size: 3, ttlMs: 60_000 };

/** A node that follows a channel over a broker which loses what it hands over, but not what it keeps. */
class Node {
  readonly told: unknown[] = [];
  readonly stream: ChannelStream;
  history = new ChannelHistory('e1');
  failure?: Error;
  /** The broker answers behind it. */
  before: Promise<void> = Promise.resolve();
  /** Its answers come behind it. */
  behind: Promise<void> = Promise.resolve();
  asked = 0;

  constructor() {
    const broker = Object.assign(memoryBroker(), {
      position: (): Promise<Position> => this.#answer(() => this.history.position),
      history: (_: string, __: object, query: HistoryQuery): Promise<HistoryPage> =>
        this.#answer(() => this.history.read(query, 0)),
    });
    this.stream = new ChannelStream('a', RULE, broker as never, {
      next: ({ position }) => this.told.push(position?.offset),
      gap: ({ epoch, offset }) => this.told.push(`gap ${epoch} ${offset}`),
      unplaced: () => this.told.push('unplaced'),
      failed: (error) => this.told.push(String(error)),
      checkDue: () => void this.stream.check(),
    });
  }

  static async open(published = 0): Promise<Node> {
    const node = new Node();
    for (let at = 0; at < published; at++) node.lose();
    await node.stream.open();
    return node;
  }

  publish(): Publication {
    const placed = this.lose();
    this.stream.receive(placed);
    return placed;
  }

  /** Published, but never handed over. */
  lose(rule = RULE, data?: string): Publication {
    return this.history.add({ channel: 'a', event: 'said', data }, rule, 0);
  }

  /** Published behind one that was lost. */
  skipOne(): Publication {
    this.lose();
    return this.lose();
  }

  /** What the broker has found out is on its way until the returned function is called. */
  delayAnswers(): () => void {
    const { promise, resolve } = new Deferred();
    this.behind = promise;
    return () => resolve();
  }

  restart(): void {
    this.history = new ChannelHistory('e2');
  }

  async #answer<T>(read: () => T): Promise<T> {
    this.asked++;
    await this.before;
    if (this.failure) throw this.failure;
    const answer = read();
    await this.behind;
    return answer;
  }
}

describe('a node that follows a channel', () => {
  it('hands on what comes, from where the channel stood', async () => {
    const node = await Node.open(5);

    node.publish();
    node.publish();

    expect(node.told).toEqual([6, 7]);
    expect(node.stream.position).toEqual({ epoch: 'e1', offset: 7 });
  });

  it('misses nothing that comes while it asks where the channel stands', async () => {
    const node = new Node();
    node.lose();
    const opening = node.stream.open();
    node.publish();
    node.publish();
    await opening;

    expect(node.stream.position).toEqual({ epoch: 'e1', offset: 3 });
  });

  it('hands on nothing twice', async () => {
    const node = await Node.open();
    const first = node.publish();
    node.publish();

    node.stream.receive(first);

    expect(node.told).toEqual([1, 2]);
  });

  it('reads what was lost, and keeps the order with what comes meanwhile', async () => {
    const node = await Node.open();
    node.publish();
    node.lose();
    node.publish();
    node.publish();
    await settled();

    expect(node.told).toEqual([1, 2, 3, 4]);
  });

  it('reads what is long in parts, and what another node lets be longer than its own size', async () => {
    const node = await Node.open();
    const data = JSON.stringify('x'.repeat(100_000));
    for (let at = 0; at < 7; at++) node.lose({ ...RULE, size: 10 }, data);
    node.asked = 0;

    await node.stream.check();

    expect(node.told).toEqual([1, 2, 3, 4, 5, 6, 7]);
    // Two have 256 KiB: where the channel stands, and four parts.
    expect(node.asked).toBe(5);
  });

  it('tells a gap where the history lacks one in the middle', async () => {
    const node = await Node.open();
    for (let at = 0; at < 3; at++) node.lose();
    const { read } = node.history;
    node.history.read = (query, now) => {
      const page = read.call(node.history, query, now);
      return { ...page, publications: page.publications.filter(({ position }) => position?.offset !== 2) };
    };

    await node.stream.check();

    expect(node.told).toEqual(['gap e1 3']);
  });

  it('tells a gap where what was lost is not kept any more, and goes on behind it', async () => {
    const node = await Node.open();
    node.publish();
    for (let at = 0; at < RULE.size; at++) node.lose();
    node.publish();
    await settled();
    node.publish();

    expect(node.told).toEqual([1, 'gap e1 5', 6]);
  });

  it('tells a gap where the history has begun anew', async () => {
    const node = await Node.open();
    node.publish();
    node.restart();

    node.publish();
    await settled();
    node.publish();

    expect(node.told).toEqual([1, 'gap e2 1', 2]);
  });

  // Where nodes differ in `history.size`, a node that reads as many as its own size gets the beginning only.
  it('takes no part of a history for the whole, where another node lets it be longer', async () => {
    const node = await Node.open();
    const since = node.stream.position as Position;
    for (let at = 0; at < RULE.size; at++) node.lose({ ...RULE, size: 10 });
    const whole = await node.stream.readSince(since);
    const last = node.lose({ ...RULE, size: 10 });

    expect(whole?.publications).toHaveLength(RULE.size);
    expect(await node.stream.readSince(since)).toBeUndefined();
    expect(await node.stream.readOn(since)).toEqual({ from: last.position, publications: [], isGap: true });
  });

  it('finds the loss of the last publication by a check', async () => {
    const node = await Node.open();
    node.publish();
    node.lose();

    await node.stream.check();
    const once = [...node.told];
    await node.stream.check();

    expect(once).toEqual([1, 2]);
    expect(node.told).toEqual(once);
  });

  it('asks a broker that does not answer once, whatever the number of checks', async () => {
    const node = await Node.open();
    let answer = (): void => undefined;
    node.before = new Promise((resolve) => (answer = resolve));
    node.lose();
    node.asked = 0;

    const checks = [node.stream.check(), node.stream.check(), node.stream.check()];
    const asked = node.asked;
    answer();
    await Promise.all(checks);

    expect(asked).toBe(1);
    expect(node.told).toEqual([1]);
  });

  // A loss that is heard of while the broker is asked may be younger than its answer.
  it.each([
    ['a check', (node: Node) => node.stream.check()],
    ['the first question', (node: Node) => node.stream.open()],
    ['a reading of what was skipped', (node: Node) => void node.stream.receive(node.skipOne())],
  ])('checks again behind %s that is under way', async (_what, begin) => {
    const node = await Node.open();
    const deliver = node.delayAnswers();
    void begin(node);
    await settled();
    const before = node.history.position.offset;
    node.lose();

    await node.stream.check();
    await node.stream.check();
    node.asked = 0;
    deliver();
    await settled();

    expect(node.told.at(-1)).toBe(before + 1);
    // Where the channel stands, and what is missing.
    expect(node.asked).toBe(2);
  });

  it('does not ask a broker at once that has just failed, however often it was asked to', async () => {
    const node = await Node.open();
    node.failure = new Error('away');
    node.asked = 0;

    await Promise.all([node.stream.check(), node.stream.check(), node.stream.check()]);
    await settled();

    expect(node.told).toEqual(['Error: away']);
    expect(node.asked).toBe(1);
  });

  it('hands on none that has no position, and tells that it came', async () => {
    const node = await Node.open();
    node.publish();

    node.stream.receive({ channel: 'a', event: 'said' });
    node.publish();

    expect(node.told).toEqual([1, 'unplaced', 2]);
  });

  it('reads once for all who ask behind the same offset while it reads', async () => {
    const node = await Node.open();
    const since = node.stream.position as Position;
    for (let at = 0; at < RULE.size; at++) node.publish();
    node.asked = 0;

    const first = Array.from({ length: 100 }, () => node.stream.readSince(since));
    const others = Array.from({ length: 100 }, () => node.stream.readOn({ ...since, offset: 1 }));
    const missed = await Promise.all([...first, ...others]);

    expect(missed.map((one) => one?.publications.length)).toEqual([
      ...first.map(() => 3),
      ...others.map(() => 2),
    ]);
    expect(node.asked).toBe(4);
  });

  it('gives nobody what was read before they asked', async () => {
    const node = await Node.open();
    const since = node.stream.position as Position;
    const deliver = node.delayAnswers();
    const early = node.stream.readSince(since);
    await settled();
    node.publish();
    const late = node.stream.readSince(since);
    deliver();

    expect((await early)?.publications).toHaveLength(0);
    expect((await late)?.publications).toHaveLength(1);
  });

  it('checks again after one that failed', async () => {
    const node = await Node.open();
    node.failure = new Error('away');
    await node.stream.check();
    node.failure = undefined;
    node.lose();

    await node.stream.check();

    expect(node.told).toEqual(['Error: away', 1]);
  });

  it('finds a restart by a check', async () => {
    const node = await Node.open(3);
    node.restart();

    await node.stream.check();

    expect(node.told).toEqual(['gap e2 0']);
  });

  it('reports a history that cannot be read, and finds the hole again with the next publication', async () => {
    const node = await Node.open();
    node.failure = new Error('away');
    node.lose();
    node.publish();
    await settled();
    node.failure = undefined;
    node.publish();
    await settled();

    expect(node.told).toEqual(['Error: away', 1, 2, 3]);
  });

  it('reports a check that cannot be made', async () => {
    const node = await Node.open();
    node.failure = new Error('away');

    await node.stream.check();

    expect(node.told).toEqual(['Error: away']);
  });
});

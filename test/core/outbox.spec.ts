import { describe, expect, it } from 'vitest';
import type { Clock } from '../../lib/core/clock.interface.js';
import { EncodedFrame } from '../../lib/core/encoded-frame.js';
import { DrainQueue } from '../../lib/core/drain-queue.js';
import { FlushQueue } from '../../lib/core/flush-queue.js';
import { Outbox, type OutboxOwner } from '../../lib/core/outbox.js';
import type { Transport } from '../../lib/core/transport.interface.js';

const MAX_OUTBOX_BYTES = 100;

class Rig implements OutboxOwner {
  writable = true;
  bufferedAmount = 0;
  overflows = 0;
  readonly maxOutboxBytes = MAX_OUTBOX_BYTES;
  readonly writes: string[][] = [];
  readonly clock: Clock;
  readonly flushQueue: FlushQueue;
  readonly drainQueue: DrainQueue;
  readonly codec = { markDropped: (publication: string) => publication };
  readonly outbox = new Outbox(this);
  readonly transport: Transport;
  #turn: (() => void)[] = [];

  constructor() {
    const afterTurn: Clock['afterTurn'] = (callback) => void this.#turn.push(callback);
    this.clock = { afterTurn } as Clock;
    this.flushQueue = new FlushQueue(this.clock);
    this.drainQueue = new DrainQueue(this.clock);
    // The outbox uses nothing else of a transport.
    this.transport = Object.defineProperty(
      { write: (frames: readonly EncodedFrame[]) => void this.writes.push(frames.map(({ text }) => text)) },
      'bufferedAmount',
      { get: () => this.bufferedAmount },
    ) as Transport;
  }

  overflow(): void {
    this.overflows++;
  }

  dropped(): void {
    throw new Error('nothing here may be dropped');
  }

  endTurn(): void {
    for (const callback of this.#turn.splice(0)) callback();
  }

  push(...texts: string[]): void {
    for (const text of texts) this.outbox.push(new EncodedFrame(text));
  }
}

describe('Outbox', () => {
  it('writes what one turn has pushed in one write, at its end', () => {
    const rig = new Rig();

    rig.push('a', 'b', 'c');
    const before = [...rig.writes];
    rig.endTurn();

    expect(before).toEqual([]);
    expect(rig.writes).toEqual([['a', 'b', 'c']]);
  });

  it('writes nothing twice', () => {
    const rig = new Rig();

    rig.push('a');
    rig.endTurn();
    rig.push('b');
    rig.endTurn();
    rig.endTurn();

    expect(rig.writes).toEqual([['a'], ['b']]);
  });

  it('writes at once what has to keep its place, and the rest at the end of the turn', () => {
    const rig = new Rig();

    rig.push('a');
    rig.outbox.flush();
    const flushed = [...rig.writes];
    rig.push('b');
    rig.endTurn();

    expect(flushed).toEqual([['a']]);
    expect(rig.writes).toEqual([['a'], ['b']]);
  });

  it('writes nothing where nothing was pushed', () => {
    const rig = new Rig();

    rig.outbox.flush();

    expect(rig.writes).toEqual([]);
  });

  it('forgets what is cleared, and its bytes', () => {
    const rig = new Rig();

    rig.push('x'.repeat(MAX_OUTBOX_BYTES));
    rig.outbox.clear();
    rig.push('x'.repeat(MAX_OUTBOX_BYTES));
    rig.endTurn();

    expect(rig.writes).toEqual([['x'.repeat(MAX_OUTBOX_BYTES)]]);
    expect(rig.overflows).toBe(0);
  });

  it('drops what is pushed to somebody who cannot be written to', () => {
    const rig = new Rig();
    rig.writable = false;

    rig.push('a');
    rig.endTurn();

    expect(rig.writes).toEqual([]);
  });

  it.each([
    ['at the limit', 60, 40, 0],
    ['one byte over it', 60, 41, 1],
    ['in bytes, not in characters', 60, -21, 1],
  ])('judges what one turn has pushed %s', (_, first, second, overflows) => {
    const rig = new Rig();

    rig.push('x'.repeat(first), second > 0 ? 'x'.repeat(second) : 'ü'.repeat(-second));

    expect(rig.overflows).toBe(overflows);
  });

  it.each([
    [60, 40, 0],
    [60, 41, 1],
    [1, 100, 1],
    [MAX_OUTBOX_BYTES, 1, 1],
  ])('counts what the transport still holds: %i and %i bytes', (held, pushed, overflows) => {
    const rig = new Rig();
    rig.bufferedAmount = held;

    rig.push('x'.repeat(pushed));
    rig.endTurn();

    expect(rig.overflows).toBe(overflows);
    expect(rig.writes).toHaveLength(1 - overflows);
  });

  it('lets a message of any size pass while nothing waits', () => {
    const rig = new Rig();

    rig.push('x'.repeat(MAX_OUTBOX_BYTES * 10));
    rig.endTurn();

    expect(rig.overflows).toBe(0);
    expect(rig.writes).toHaveLength(1);
  });
});

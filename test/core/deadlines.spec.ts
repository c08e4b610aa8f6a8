import { TestClock } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { Deadlines, type Expirable } from '../../lib/core/deadlines.js';
import { Deferred } from '../support/deferred.js';

const TIMEOUT_MS = 1_000;

class Entry implements Expirable {
  expiresAt = 0;

  constructor(
    readonly name: string,
    private readonly expired: string[],
  ) {}

  expire(): void {
    this.expired.push(this.name);
  }
}

function setUp(): {
  clock: TestClock;
  deadlines: Deadlines;
  expired: string[];
  entry: (name: string) => Entry;
} {
  const clock = new TestClock();
  const expired: string[] = [];
  const deadlines = new Deadlines(clock, TIMEOUT_MS);
  return { clock, deadlines, expired, entry: (name) => new Entry(name, expired) };
}

describe('Deadlines', () => {
  it('expires what has waited for the whole time, and not a millisecond before', () => {
    const { deadlines, expired, entry } = setUp();
    deadlines.add(entry('a'));

    deadlines.sweep(TIMEOUT_MS - 1);
    const before = [...expired];
    deadlines.sweep(TIMEOUT_MS);

    expect(before).toEqual([]);
    expect(expired).toEqual(['a']);
  });

  it('expires in the order in which they were added, and each once', async () => {
    const { clock, deadlines, expired, entry } = setUp();
    deadlines.add(entry('a'));
    await clock.advance(10);
    deadlines.add(entry('b'));
    deadlines.add(entry('c'));

    deadlines.sweep(TIMEOUT_MS + 9);
    const first = [...expired];
    deadlines.sweep(TIMEOUT_MS + 10);
    deadlines.sweep(TIMEOUT_MS * 5);

    expect(first).toEqual(['a']);
    expect(expired).toEqual(['a', 'b', 'c']);
  });

  it('forgets what is deleted', () => {
    const { deadlines, expired, entry } = setUp();
    const [a, b] = [entry('a'), entry('b')];
    deadlines.add(a);
    deadlines.add(b);

    deadlines.delete(a);
    deadlines.delete(a);
    deadlines.sweep(TIMEOUT_MS);

    expect(expired).toEqual(['b']);
  });

  it('begins anew with what is added again', async () => {
    const { clock, deadlines, expired, entry } = setUp();
    const [a, b] = [entry('a'), entry('b')];
    deadlines.add(a);
    deadlines.add(b);
    await clock.advance(500);
    deadlines.add(a);

    deadlines.sweep(TIMEOUT_MS);
    const first = [...expired];
    deadlines.sweep(TIMEOUT_MS + 500);

    expect(first).toEqual(['b']);
    expect(expired).toEqual(['b', 'a']);
  });

  it('lets an entry delete others, and add some, while it expires', async () => {
    const { clock, deadlines, expired, entry } = setUp();
    const last = entry('last');
    deadlines.add({
      expiresAt: 0,
      expire: () => {
        deadlines.delete(last);
        deadlines.add(entry('new'));
      },
    });
    deadlines.add(last);
    await clock.advance(TIMEOUT_MS);

    deadlines.sweep(clock.now());
    const first = [...expired];
    deadlines.sweep(TIMEOUT_MS * 2);

    expect(first).toEqual([]);
    expect(expired).toEqual(['new']);
  });
});

describe('Deadlines.limit', () => {
  it('settles as the work does', async () => {
    const { deadlines } = setUp();
    const error = new Error('no');

    await expect(deadlines.limit(Promise.resolve(5), 'work')).resolves.toBe(5);
    await expect(deadlines.limit(Promise.reject(error), 'work')).rejects.toBe(error);
  });

  it('rejects with a retryable timeout when the work takes too long', async () => {
    const { deadlines } = setUp();
    const limited = deadlines.limit(new Deferred().promise, 'the hook');

    deadlines.sweep(TIMEOUT_MS);

    await expect(limited).rejects.toMatchObject({
      code: 'timeout',
      retryable: true,
      message: 'the hook took longer than 1000 ms',
    });
  });

  it('ignores what the work does later', async () => {
    const { deadlines } = setUp();
    const work = new Deferred();
    const limited = deadlines.limit(work.promise, 'the hook');
    deadlines.sweep(TIMEOUT_MS);
    await expect(limited).rejects.toMatchObject({ code: 'timeout' });

    work.reject(new Error('late'));

    await expect(limited).rejects.toMatchObject({ code: 'timeout' });
  });

  it('expires nothing that has settled', async () => {
    const { deadlines } = setUp();
    const limited = deadlines.limit(Promise.resolve('done'), 'the hook');
    await limited;

    deadlines.sweep(TIMEOUT_MS);

    await expect(limited).resolves.toBe('done');
  });
});

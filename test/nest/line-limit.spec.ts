import { TestClock } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { LineLimit } from '../../lib/nest/line-limit.js';

/** A limit that is swept each second, as the engine does, and what it has let through and counted. */
class Lines {
  readonly clock = new TestClock();
  readonly rests: number[] = [];
  readonly limit: LineLimit<string>;
  own = 0;

  constructor(linesPerSecond: number) {
    this.limit = new LineLimit(this.clock, { linesPerSecond, maxReasons: 2 }, (_, count) => {
      this.rests.push(count);
    });
  }

  /** So many at once, and then so many milliseconds without one. */
  async come(count: number, pauseMs: number): Promise<void> {
    for (let at = 0; at < count; at++) this.own += Number(this.limit.admits('reason', 'topic'));
    for (let ms = 0; ms < pauseMs; ms += 1_000) {
      await this.clock.advance(1_000);
      this.limit.sweep();
    }
  }

  take(): { own: number; rests: readonly number[] } {
    const { own } = this;
    this.own = 0;
    return { own, rests: this.rests.splice(0) };
  }
}

describe('lines of one reason', () => {
  it('are as many as may be in the first second, and then counted ever more seldom', async () => {
    const lines = new Lines(1);

    for (let second = 0; second < 15; second++) await lines.come(300, 1_000);

    expect(lines.take()).toEqual({ own: 1, rests: [299, 600, 1_200, 2_400] });
  });

  // A burst used to silence its reason until a whole minute had passed without a single one.
  it.each([1, 100])('have their own again when they come no more often than %i a second', async (limit) => {
    const lines = new Lines(limit);
    for (let second = 0; second < 60; second++) await lines.come(3 * limit, 1_000);
    for (let each = 0; each < 6; each++) await lines.come(1, 20_000);
    lines.take();

    for (let each = 0; each < 30; each++) await lines.come(1, 20_000);

    expect(lines.take()).toEqual({ own: 30, rests: [] });
  });

  it('are all there without a limit', async () => {
    const lines = new Lines(Infinity);

    for (let second = 0; second < 3; second++) await lines.come(1_000, 1_000);

    expect(lines.take()).toEqual({ own: 3_000, rests: [] });
  });

  it('lose none of their count at the end', async () => {
    const lines = new Lines(1);
    await lines.come(10, 0);

    lines.limit.end();

    expect(lines.take()).toEqual({ own: 1, rests: [9] });
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FaultLog } from '../../lib/core/fault-log.js';
import {
  BAD_FRAME_WINDOW_MS,
  MAX_BAD_FRAMES,
  PLAIN_EXCEPTION_INTERVAL_MS,
} from '../../lib/protocol/index.js';

function countAll(times: readonly number[]): boolean[] {
  const log = new FaultLog();
  return times.map((time) => log.count(time));
}

describe('FaultLog.count', () => {
  it('says yes at the tenth within the window', () => {
    const times = Array.from({ length: MAX_BAD_FRAMES }, () => 5);

    expect(countAll(times)).toEqual([...Array.from({ length: MAX_BAD_FRAMES - 1 }, () => false), true]);
  });

  it.each([
    [BAD_FRAME_WINDOW_MS, true],
    [BAD_FRAME_WINDOW_MS + 1, false],
  ])('judges ten that span %i ms: %s', (span, expected) => {
    const times = [0, ...Array.from({ length: MAX_BAD_FRAMES - 2 }, () => 1), span];

    expect(countAll(times).at(-1)).toBe(expected);
  });

  it('agrees with a count over all times', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(3_000), { maxLength: 60 }), (pauses) => {
        let now = 0;
        const times = pauses.map((pause) => (now += pause));

        const expected = times.map(
          (time, at) =>
            times.slice(0, at + 1).filter((other) => time - other <= BAD_FRAME_WINDOW_MS).length >=
            MAX_BAD_FRAMES,
        );
        expect(countAll(times)).toEqual(expected);
      }),
    );
  });
});

describe('FaultLog.mayTell', () => {
  it('says yes once within the interval, from the first moment on', () => {
    const log = new FaultLog();
    const times = [
      0,
      1,
      PLAIN_EXCEPTION_INTERVAL_MS - 1,
      PLAIN_EXCEPTION_INTERVAL_MS,
      PLAIN_EXCEPTION_INTERVAL_MS + 1,
    ];

    expect(times.map((time) => log.mayTell(time))).toEqual([true, false, false, true, false]);
  });

  it('measures from the last time that it said yes', () => {
    const log = new FaultLog();
    log.mayTell(0);
    log.mayTell(PLAIN_EXCEPTION_INTERVAL_MS * 1.5);

    expect(log.mayTell(PLAIN_EXCEPTION_INTERVAL_MS * 2)).toBe(false);
    expect(log.mayTell(PLAIN_EXCEPTION_INTERVAL_MS * 2.5)).toBe(true);
  });
});

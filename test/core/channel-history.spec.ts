import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HistoryQuery } from '../../lib/core/broker.interface.js';
import { ChannelHistory } from '../../lib/core/channel-history.js';

const RULE = { size: 3, ttlMs: 1_000 };
const ALL = { limit: 100, maxBytes: Number.POSITIVE_INFINITY };

function history(count: number, rule = RULE): ChannelHistory {
  const kept = new ChannelHistory('e');
  for (let at = 1; at <= count; at++) kept.add({ channel: 'a', event: 'said', data: String(at) }, rule, 0);
  return kept;
}

function offsets(kept: ChannelHistory, query: Partial<HistoryQuery> = {}, now = 0): number[] {
  return kept.read({ ...ALL, ...query }, now).publications.map(({ position }) => position?.offset ?? 0);
}

describe('the history of a channel', () => {
  it('begins at 0, and counts what is added', () => {
    const kept = history(0);
    expect(kept.position).toEqual({ epoch: 'e', offset: 0 });

    const added = kept.add({ channel: 'a', event: 'said', data: '1' }, RULE, 0);

    expect(added).toEqual({ channel: 'a', event: 'said', data: '1', position: { epoch: 'e', offset: 1 } });
    expect(kept.position).toEqual({ epoch: 'e', offset: 1 });
  });

  it('keeps as many as its size, and drops the oldest of one more', () => {
    expect(offsets(history(3))).toEqual([1, 2, 3]);
    expect(offsets(history(4))).toEqual([2, 3, 4]);
    expect(history(4).read(ALL, 0)).toMatchObject({ oldest: 2, position: { offset: 4 } });
  });

  it('keeps them for as long as its ttl, and no longer', () => {
    expect(offsets(history(2), {}, 999)).toEqual([1, 2]);
    expect(history(2).read(ALL, 1_000)).toEqual({
      position: { epoch: 'e', offset: 2 },
      oldest: 3,
      publications: [],
    });
  });

  it('reads behind an offset, from either end, and not more than it is asked for', () => {
    const kept = history(3);

    expect(offsets(kept, { after: 1 })).toEqual([2, 3]);
    expect(offsets(kept, { after: 3 })).toEqual([]);
    expect(offsets(kept, { limit: 2 })).toEqual([1, 2]);
    expect(offsets(kept, { limit: 2, reverse: true })).toEqual([3, 2]);
    expect(offsets(kept, { maxBytes: 0 })).toEqual([1]);
  });

  it.each([undefined, '"x"', '"caf\u00e9 \u{1f600}"'])(
    'counts all that the data %s takes in an answer, with the longest offset',
    (data) => {
      const kept = new ChannelHistory('e');
      const event = 'a "b" \0';
      for (let at = 0; at < 2; at++) kept.add({ channel: 'a', event, data }, RULE, 0);
      const json = `{"event":${JSON.stringify(event)},"data":${data ?? ''},"offset":${Number.MAX_SAFE_INTEGER}},`;
      const bytes = Buffer.byteLength(json);

      expect(offsets(kept, { maxBytes: 2 * bytes })).toEqual([1, 2]);
      expect(offsets(kept, { maxBytes: 2 * bytes - 1 })).toEqual([1]);
    },
  );

  it('knows a key for as long as its publication is kept', () => {
    const kept = new ChannelHistory('e');
    const add = (at: number, key?: string): void =>
      void kept.add({ channel: 'a', event: 'said' }, RULE, at, key);

    add(0, 'first');
    expect(kept.find('first', 999)).toEqual({ epoch: 'e', offset: 1 });
    expect(kept.find('first', 1_000)).toBeUndefined();

    add(2_000, 'second');
    for (let more = 0; more < RULE.size; more++) add(2_000);
    expect(kept.find('second', 2_000)).toBeUndefined();
  });

  it('is the end of what was added, without a hole, whatever happens', () => {
    const step = fc.oneof(fc.record({ add: fc.constant(true) }), fc.record({ wait: fc.nat({ max: 700 }) }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.nat({ max: 45 }), (steps, after) => {
        const kept = new ChannelHistory('e');
        let now = 0;
        let added = 0;
        for (const one of steps) {
          if ('wait' in one) now += one.wait;
          else {
            kept.add({ channel: 'a', event: 'said' }, RULE, now);
            added += 1;
          }
        }
        const { position, oldest, publications } = kept.read({ ...ALL, after }, now);
        const read = publications.map((publication) => publication.position?.offset);
        const from = Math.max(oldest, after + 1);

        expect(position.offset).toBe(added);
        expect(added - oldest + 1).toBeLessThanOrEqual(RULE.size);
        expect(read).toEqual(Array.from({ length: Math.max(0, added - from + 1) }, (_, at) => from + at));
      }),
    );
  });
});

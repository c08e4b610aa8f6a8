import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MarkerTable } from '../../lib/cli/marker-table.js';

const SENDER = 0;

describe('MarkerTable', () => {
  it('times an arrival, wherever the text stands in the data', () => {
    const markers = new MarkerTable('run');
    const text = markers.add(SENDER, 1, 1_000);

    expect(markers.arrive({ from: 'ada', text: `hi ${text}!` }, 1, 1_012)).toBe(12);
    expect(markers.arrive([[text]], 2, 1_030)).toBe(30);
  });

  it.each([
    undefined,
    null,
    'hello',
    { text: 'load-run-' },
    { text: 'load-run-7-' },
    { text: 'load-other-1-' },
  ])('takes %j for none of its messages', (data) => {
    const markers = new MarkerTable('run');
    markers.add(SENDER, 1, 0);

    expect(markers.arrive(data, 1, 1)).toBeUndefined();
  });

  it('tells message 1 from message 11', () => {
    const markers = new MarkerTable('run');
    const texts = Array.from({ length: 11 }, (_, sentAt) => markers.add(SENDER, 1, sentAt));

    expect(markers.arrive(texts[10], 1, 100)).toBe(90);
    expect(markers.arrive(texts[0], 1, 100)).toBe(100);
  });

  it('expects an arrival at each of the others of what was answered, and counts that at the sender apart', () => {
    const markers = new MarkerTable('run');
    const text = markers.add(SENDER, 2, 0);
    const before = markers.totals();

    markers.answered(text);
    markers.arrive(text, SENDER, 1);
    markers.arrive(text, 1, 1);

    expect([before, markers.totals(), markers.isComplete]).toEqual([
      { expected: 0, missing: 0, toSenders: 0 },
      { expected: 2, missing: 1, toSenders: 1 },
      false,
    ]);
    markers.arrive(text, 2, 1);
    expect([markers.totals().missing, markers.isComplete]).toEqual([0, true]);
  });

  it('lets an arrival too many make up for nothing else', () => {
    const markers = new MarkerTable('run');
    const [first, second] = [markers.add(SENDER, 1, 0), markers.add(SENDER, 1, 0)];
    for (const text of [first, second]) markers.answered(text);

    for (const connection of [1, 2, 3]) markers.arrive(first, connection, 1);

    expect(markers.totals()).toMatchObject({ expected: 2, missing: 1 });
  });

  it('remembers as many as it may, and settles the oldest when there is one more', () => {
    const markers = new MarkerTable('run', 2);
    const texts = [1, 2].map((sentAt) => markers.add(SENDER, 1, sentAt));
    for (const text of texts) markers.answered(text);
    const isKnown = markers.arrive(texts[0], SENDER, 10) !== undefined;

    markers.add(SENDER, 1, 3);

    expect(isKnown).toBe(true);
    expect(markers.arrive(texts[0], 1, 10)).toBeUndefined();
    expect(markers.arrive(texts[1], 1, 10)).toBe(8);
    expect(markers.totals()).toEqual({ expected: 2, missing: 1, toSenders: 1 });
  });

  it('has the same totals, however few it remembers, where all arrives in order', () => {
    const message = fc.record({ others: fc.nat(5), lost: fc.nat(5), isAnswered: fc.boolean() });
    fc.assert(
      fc.property(fc.array(message), fc.integer({ min: 1, max: 10 }), (messages, capacity) => {
        const markers = new MarkerTable('run', capacity);
        for (const { others, lost, isAnswered } of messages) {
          const text = markers.add(SENDER, others, 0);
          if (isAnswered) markers.answered(text);
          for (let at = lost; at < others; at++) markers.arrive(text, at + 1, 1);
        }

        const due = messages.filter(({ isAnswered }) => isAnswered);
        expect(markers.totals()).toEqual({
          expected: due.reduce((sum, { others }) => sum + others, 0),
          missing: due.reduce((sum, { others, lost }) => sum + Math.min(lost, others), 0),
          toSenders: 0,
        });
      }),
    );
  });
});

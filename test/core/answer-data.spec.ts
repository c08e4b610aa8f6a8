import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answerData } from '../../lib/core/answer-data.js';

class Reply {
  constructor(
    readonly event: string,
    readonly data: unknown,
  ) {}

  method(): void {}
}

describe('answerData', () => {
  it('is the data of { event, data }, whatever it is', () => {
    fc.assert(
      fc.property(fc.string(), fc.anything(), (event, data) => {
        expect(answerData({ event, data })).toBe(data);
      }),
    );
  });

  it('is the data of an instance that has no further field', () => {
    expect(answerData(new Reply('reply', 5))).toBe(5);
  });

  it.each([
    ['a number', 5],
    ['a text', 'text'],
    ['null', null],
    ['undefined', undefined],
    ['an array', ['event', 'data']],
    ['an event alone', { event: 'e' }],
    ['data alone', { data: 1 }],
    ['an event that is no text', { event: 1, data: 2 }],
    ['a further key', { event: 'e', data: 1, id: 2 }],
    ['a further key in front', { id: 2, event: 'e', data: 1 }],
  ])('is the value itself: %s', (_, value) => {
    expect(answerData(value)).toBe(value);
  });
});

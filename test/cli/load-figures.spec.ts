import { expect, it } from 'vitest';
import { figuresOf } from './load-fixtures.js';

it('counts what has neither an answer nor an error', () => {
  const figures = figuresOf({ sent: 5 });
  figures.answered = 2;
  figures.failed.add('timeout');

  expect(figures.unanswered).toBe(2);
});

it('has room for 10,000 messages without an answer, and for no more until one is answered', () => {
  const figures = figuresOf({ sent: 9_999 });
  const before = figures.hasRoom;

  figures.sent++;
  const full = figures.hasRoom;
  figures.answered++;

  expect([before, full, figures.hasRoom]).toEqual([true, false, true]);
});

import { expect, it } from 'vitest';
import { progressLine } from '../../lib/cli/progress-line.js';
import { figuresOf } from './load-fixtures.js';

it('tells what there is so far, with the time of deliveries where there are any', () => {
  const figures = figuresOf({ sent: 7 });
  figures.joined = 3;
  const before = progressLine('connecting', 2, figures);

  figures.answered = 6;
  figures.received = 18;
  figures.deliveryMs.add(4);
  figures.failed.add('internal');

  expect(before).toBe('connecting  2 open  3 joined  7 sent  0 answered  0 received  0 failures');
  expect(progressLine('sending', 2, figures)).toBe(
    'sending  2 open  3 joined  7 sent  6 answered  18 received  p99 4.0 ms  1 failures',
  );
});

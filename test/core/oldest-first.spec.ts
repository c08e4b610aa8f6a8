import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { OldestFirst } from '../../lib/core/oldest-first.js';

const ITEMS = Array.from({ length: 6 }, (_, at) => ({ at }));

const command = fc.oneof(
  fc.record({ type: fc.constantFrom('move' as const, 'delete' as const), item: fc.constantFrom(...ITEMS) }),
  fc.constant({ type: 'clear' as const }),
  fc.constant({ type: 'look' as const }),
);

interface Item {
  readonly number: number;
}

const item = (number: number): Item => ({ number });

function usedBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  setFlagsFromString('--no-expose-gc');
  return process.memoryUsage().heapUsed;
}

it('has at hand what a list in the order of the additions has in front', () => {
  fc.assert(
    fc.property(fc.array(command, { size: 'max', maxLength: 60 }), (commands) => {
      const items = new OldestFirst<(typeof ITEMS)[number]>();
      let model: typeof ITEMS = [];
      const seen: unknown[] = [];
      const expected: unknown[] = [];
      const look = (): void => {
        seen.push(items.oldest);
        expected.push(model[0]);
      };
      for (const step of commands) {
        if (step.type === 'look') look();
        if (step.type === 'clear') {
          items.clear();
          model = [];
        }
        if ('item' in step) {
          items.delete(step.item);
          model = model.filter((item) => item !== step.item);
        }
        if (step.type === 'move') {
          items.add(step.item);
          model.push(step.item);
        }
      }
      look();

      expect(seen).toEqual(expected);
      expect(items.size).toBe(model.length);
    }),
    { numRuns: 2_000 },
  );
});

it('gives the one that was added before all others, whatever comes and goes meanwhile', () => {
  const items = new OldestFirst<Item>();
  const expected = new Set<Item>();
  let chance = 1;
  for (let number = 0; number < 20_000; number += 1) {
    chance = (chance * 48_271) % 2_147_483_647;
    const next = item(number);
    items.add(next);
    expected.add(next);
    // Long stretches in which nobody asks, and others in which it is asked for all the time.
    const goes = [...expected].at(chance % expected.size);
    if (expected.size > 20 && goes) {
      items.delete(goes);
      expected.delete(goes);
    }
    if (number % 1_000 > 700) expect(items.oldest).toBe(expected.values().next().value);
  }
  expect(items.size).toBe(expected.size);
});

it.each([
  ['never', () => undefined],
  ['all the time, of one that stays', (items: OldestFirst<Item>) => items.oldest],
])('keeps nothing of what has gone where its oldest is asked for %s', (_when, ask) => {
  const items = new OldestFirst<Item>();
  items.add(item(-1));
  items.add(item(-2));
  const before = usedBytes();

  for (let number = 0; number < 200_000; number += 1) {
    const next = item(number);
    items.add(next);
    ask(items);
    items.delete(next);
  }

  expect(usedBytes() - before).toBeLessThan(2_000_000);
  expect([items.size, items.oldest]).toEqual([2, item(-1)]);
});

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { OldestFirst, type Place } from '../../lib/core/oldest-first.js';

const ITEMS = Array.from({ length: 6 }, (_, at) => ({ at }));

const command = fc.oneof(
  fc.record({ type: fc.constantFrom('move' as const, 'delete' as const), item: fc.constantFrom(...ITEMS) }),
  fc.constant({ type: 'clear' as const }),
  fc.constant({ type: 'look' as const }),
);

interface Item {
  readonly number: number;
}

const itemOf = (number: number): Item => ({ number });

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
      const places = new Map<unknown, Place>();
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
          places.get(step.item)?.leave();
          model = model.filter((item) => item !== step.item);
        }
        if (step.type === 'move') {
          places.set(step.item, items.add(step.item));
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

it('has it at hand also where nobody has asked for long, and where it is asked for all the time', () => {
  const items = new OldestFirst<Item>();
  const kept = new Map<Item, Place>();
  const wrong: number[] = [];
  let chance = 1;
  for (let number = 0; number < 20_000; number += 1) {
    chance = (chance * 48_271) % 2_147_483_647;
    const next = itemOf(number);
    kept.set(next, items.add(next));
    const goes = kept.size > 20 ? [...kept.keys()].at(chance % kept.size) : undefined;
    if (goes) {
      kept.get(goes)?.leave();
      kept.delete(goes);
    }
    if (number % 1_000 > 700 && items.oldest !== [...kept.keys()][0]) wrong.push(number);
  }

  expect(wrong).toEqual([]);
  expect(items.size).toBe(kept.size);
});

it.each([
  ['never', () => undefined],
  ['all the time, of one that stays', (items: OldestFirst<Item>) => items.oldest],
])('keeps nothing of what has gone where its oldest is asked for %s', (_when, ask) => {
  const items = new OldestFirst<Item>();
  items.add(itemOf(-1));
  items.add(itemOf(-2));
  const before = usedBytes();

  for (let number = 0; number < 200_000; number += 1) {
    const next = itemOf(number);
    const place = items.add(next);
    ask(items);
    place.leave();
  }

  expect(usedBytes() - before).toBeLessThan(2_000_000);
  expect([items.size, items.oldest]).toEqual([2, itemOf(-1)]);
});

it('takes what has left out of no other queue', () => {
  const [items, others] = [new OldestFirst<Item>(), new OldestFirst<Item>()];
  const item = itemOf(1);
  const place = items.add(item);

  place.leave();
  const other = others.add(item);
  place.leave();

  expect([items.size, others.size]).toEqual([0, 1]);
  others.clear();
  other.leave();
  expect(others.size).toBe(0);
});

it('keeps nothing of others for a place that has left', () => {
  const items = new OldestFirst<Item>();
  const place = items.add(itemOf(-1));
  let before = items.add(itemOf(-2));
  place.leave();
  // It stood in front of what comes now.
  const used = usedBytes();

  for (let number = 0; number < 200_000; number += 1) {
    const next = items.add(itemOf(number));
    before.leave();
    before = next;
  }

  expect(usedBytes() - used).toBeLessThan(2_000_000);
  place.leave();
  expect(items.size).toBe(1);
});

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { OldestFirst } from '../../lib/core/oldest-first.js';

const ITEMS = Array.from({ length: 6 }, (_, at) => ({ at }));

const command = fc.oneof(
  fc.record({ type: fc.constantFrom('move' as const, 'delete' as const), item: fc.constantFrom(...ITEMS) }),
  fc.constant({ type: 'clear' as const }),
  fc.constant({ type: 'look' as const }),
);

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

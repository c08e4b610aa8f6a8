import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { say, settled } from './engine-rig.js';
import { SHEDDING, Slow } from './slow-reader-rig.js';

/** What may happen to a reader whose link takes nothing by itself. */
type Step = { readonly type: 'publish' | 'take' | 'check' | 'answer' | 'rejoin'; readonly amount: number };

const STEPS = fc.array(
  fc.record<Step>({
    type: fc.constantFrom('publish', 'publish', 'publish', 'take', 'check', 'answer', 'rejoin'),
    amount: fc.integer({ min: 1, max: 400 }),
  }),
  { maxLength: 40 },
);

describe.each(SHEDDING)('whatever happens, with %s', (overflow) => {
  it.each([
    ['with a history', true],
    ['without', false],
  ])('a reader knows of each loss, and has the newest in the end: %s', async (_, history) => {
    const play = async (steps: readonly Step[]): Promise<void> => {
      const maxOutboxBytes = 1_000;
      const slow = await Slow.open({ overflow, history }, { maxOutboxBytes });
      slow.stick();
      let published = 0;
      let rejoins = 0;
      for (const { type, amount } of steps) {
        if (type === 'publish') await slow.publish(++published);
        if (type === 'take') slow.link.take(amount);
        if (type === 'check') await slow.check();
        if (type === 'answer') slow.connection.sendEvent('answer', 'x'.repeat(amount % 50));
        if (type === 'rejoin' && rejoins++ < 2)
          say(slow, { event: '$subscribe', id: rejoins, data: { channel: 'chat' } });
        expect(slow.link.bufferedAmount).toBeLessThanOrEqual(maxOutboxBytes);
        await settled();
      }
      // What may not be dropped has filled it: that is not what is tried here.
      if (slow.state !== 'open') return;
      await slow.heal();
      await slow.publish(++published);

      let last = 0;
      for (const { channel, data, offset, dropped = 0 } of slow.link.read) {
        if (channel !== 'chat') continue;
        expect({ follows: Number(data) - dropped, offset }).toEqual({
          follows: last + 1,
          offset: history ? data : undefined,
        });
        last = Number(data);
      }
      expect(last).toBe(published);
    };

    await fc.assert(fc.asyncProperty(STEPS, play), { numRuns: 60 });
  });
});

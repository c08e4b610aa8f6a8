import fc from 'fast-check';
import { TestClock } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import {
  FULL_WAIT_MS,
  MAX_SLOT_WAIT_MS,
  MAX_SLOTS,
  SLOT_GRACE_MS,
  SlotBook,
  type Slot,
} from '../../lib/core/slot-book.js';
import { seeded } from '../client/fake-server.js';

/** A book, its time, and peers that ask it. */
class Desk {
  readonly clock = new TestClock();
  readonly book: SlotBook;
  room = Infinity;

  constructor(perSecond: number) {
    this.book = new SlotBook(perSecond, this.clock, seeded(1));
  }

  ask(ticket?: string): Slot | undefined {
    return this.book.ask({ ticket, takesTickets: true, room: this.room });
  }

  askPlainly(): Slot | undefined {
    return this.book.ask({ takesTickets: false, room: this.room });
  }

  /** Takes all turns that there are. */
  drain(perSecond: number): void {
    for (let turn = 0; turn < perSecond; turn++) {
      if (this.ask()) throw new Error('there was no turn left');
    }
  }
}

const waitsOf = (slots: readonly (Slot | undefined)[]): unknown[] => slots.map((slot) => slot?.retryAfterMs);

describe('SlotBook', () => {
  it('gives as many turns in a second as its rate, and no more', async () => {
    const desk = new Desk(10);
    const turns = async (): Promise<number> => {
      const slots = Array.from({ length: 30 }, () => desk.askPlainly());
      await desk.clock.advance(MAX_SLOT_WAIT_MS);
      return slots.filter((slot) => slot === undefined).length;
    };

    expect([await turns(), await turns()]).toEqual([10, 10]);
  });

  it('tells the n-th who comes too early the n-th turn that follows', () => {
    const desk = new Desk(10);
    desk.drain(10);

    expect(waitsOf([desk.ask(), desk.ask(), desk.ask()])).toEqual([100, 200, 300]);
  });

  it('tells the same to those who cannot bring a ticket, and remembers nothing of them', () => {
    const desk = new Desk(10);
    desk.drain(10);

    expect([desk.askPlainly(), desk.ask()?.retryAfterMs]).toEqual([{ retryAfterMs: 100 }, 200]);
    expect(desk.book.size).toBe(1);
  });

  it('lets who comes back in its slot in before anybody new', async () => {
    const desk = new Desk(10);
    desk.drain(10);
    const slot = desk.ask();

    await desk.clock.advance(100);
    const stranger = desk.ask();
    const owner = desk.ask(slot?.ticket);

    expect([stranger?.retryAfterMs, owner]).toEqual([100, undefined]);
  });

  it('keeps the slot of who comes too early', async () => {
    const desk = new Desk(10);
    desk.drain(10);
    desk.ask();
    const slot = desk.ask();

    await desk.clock.advance(50);

    expect(desk.ask(slot?.ticket)).toEqual({ retryAfterMs: 150, ticket: slot?.ticket });
    await desk.clock.advance(150);
    expect(desk.ask(slot?.ticket)).toBeUndefined();
  });

  it('gives a ticket one turn', async () => {
    const desk = new Desk(10);
    desk.drain(10);
    const slot = desk.ask();
    await desk.clock.advance(100);
    desk.ask(slot?.ticket);

    expect(desk.ask(slot?.ticket)).toBeDefined();
  });

  it('takes a ticket that it has not given for none', () => {
    const desk = new Desk(10);
    desk.drain(10);

    expect(desk.ask('__proto__')?.ticket).not.toBe('__proto__');
  });

  it('keeps a slot for who is late, and then gives the turn to others', async () => {
    const desk = new Desk(1);
    desk.drain(1);
    const slot = desk.ask();

    await desk.clock.advance(1_000 + SLOT_GRACE_MS - 1);
    const before = desk.ask();
    await desk.clock.advance(1);
    const after = desk.ask();

    expect([before === undefined, after]).toEqual([false, undefined]);
    expect(desk.ask(slot?.ticket)).toBeDefined();
  });

  it(`gives slots for ${MAX_SLOT_WAIT_MS} ms, and beyond it times that are drawn`, () => {
    const desk = new Desk(1);
    desk.drain(1);

    const slots = Array.from({ length: 70 }, () => desk.ask());

    expect(waitsOf(slots.slice(0, 60))).toEqual(Array.from({ length: 60 }, (_, at) => (at + 1) * 1_000));
    expect(slots.slice(60).filter((slot) => slot?.ticket !== undefined)).toEqual([]);
    const drawn = slots.slice(60).map((slot) => slot?.retryAfterMs ?? 0);
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(MAX_SLOT_WAIT_MS);
    expect(Math.max(...drawn)).toBeLessThanOrEqual(2 * MAX_SLOT_WAIT_MS);
    expect(new Set(drawn).size).toBe(10);
  });

  it(`keeps ${MAX_SLOTS} slots, and not one more`, () => {
    const desk = new Desk(1_000);
    desk.drain(1_000);

    for (let at = 0; at < MAX_SLOTS; at++) desk.ask();
    const full = desk.book.size;

    expect([full, desk.ask()?.ticket, desk.book.size]).toEqual([MAX_SLOTS, undefined, MAX_SLOTS]);
  });

  it('is empty when all slots have passed', async () => {
    const desk = new Desk(5);
    desk.drain(5);
    for (let at = 0; at < 20; at++) desk.ask();

    await desk.clock.advance(4_000 + SLOT_GRACE_MS);
    desk.book.sweep(desk.clock.now());

    expect(desk.book.size).toBe(0);
  });

  it('lets everybody in who comes in time, at the rate and in their order', async () => {
    const rates = fc.record({
      perSecond: fc.integer({ min: 1, max: 50 }),
      peers: fc.integer({ min: 1, max: 60 }),
    });

    await fc.assert(
      fc.asyncProperty(rates, async ({ perSecond, peers }) => {
        const desk = new Desk(perSecond);
        desk.drain(perSecond);
        const slots = Array.from({ length: peers }, () => desk.ask()).filter((slot) => slot?.ticket);
        let now = 0;
        for (const slot of slots) {
          const at = slot?.retryAfterMs ?? 0;
          await desk.clock.advance(at - now);
          now = at;
          expect(desk.ask()).toBeDefined();
          expect(desk.ask(slot?.ticket)).toBeUndefined();
        }
        expect(now).toBeLessThanOrEqual((slots.length / perSecond) * 1_000 + 1);
      }),
      { numRuns: 50 },
    );
  });
});

describe('SlotBook of a node that is full', () => {
  it('sends those who come one after the other, and nobody at once', () => {
    const desk = new Desk(0);
    desk.room = 0;

    expect(waitsOf([desk.ask(), desk.ask()])).toEqual([FULL_WAIT_MS, FULL_WAIT_MS + 10]);
  });

  it('gives a place that becomes free to who has waited', async () => {
    const desk = new Desk(0);
    desk.room = 0;
    const slot = desk.ask();
    await desk.clock.advance(FULL_WAIT_MS);

    desk.room = 1;
    const stranger = desk.ask();

    expect([stranger === undefined, desk.ask(slot?.ticket)]).toEqual([false, undefined]);
  });

  it('gives who comes in its slot another one while it is still full', async () => {
    const desk = new Desk(0);
    desk.room = 0;
    const slot = desk.ask();
    await desk.clock.advance(FULL_WAIT_MS);

    const next = desk.ask(slot?.ticket);

    expect([next?.retryAfterMs, next?.ticket === slot?.ticket, desk.book.size]).toEqual([
      FULL_WAIT_MS,
      false,
      1,
    ]);
  });
});

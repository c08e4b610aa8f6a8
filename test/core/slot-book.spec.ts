import fc from 'fast-check';
import { TestClock } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import {
  FULL_WAIT_MS,
  MAX_KEPT_PLACES,
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

  constructor(perSecond: number, places = Infinity) {
    this.book = new SlotBook({ perSecond, places }, this.clock, seeded(1));
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

/** Ten milliseconds of a day at the desk. */
const TICK_MS = 10;

/** How many of `perSecond` things that come at even distances fall into the tick that ends at `ms`. */
const dueIn = (ms: number, perSecond: number): number =>
  Math.floor((ms * perSecond) / 1_000) - Math.floor(((ms - TICK_MS) * perSecond) / 1_000);

/** A crowd that takes tickets and never brings one back, and newcomers who ask once, at times of their own. */
interface Flood {
  readonly perSecond: number;
  readonly forMs: number;
  /** Who was let in; `newcomer` is one who is not of the crowd. */
  readonly entered: (by: 'crowd' | 'newcomer') => void;
  readonly tick?: (ms: number) => void;
}

async function flood(desk: Desk, { perSecond, forMs, entered, tick }: Flood): Promise<void> {
  const { next: chance } = seeded(2);
  for (let ms = TICK_MS; ms <= forMs; ms += TICK_MS) {
    await desk.clock.advance(TICK_MS);
    tick?.(ms);
    // Two newcomers a second, before, behind and among the crowd.
    const newcomerAt = chance() < 0.02 ? Math.floor(chance() * (dueIn(ms, perSecond) + 1)) : -1;
    for (let at = 0; at <= dueIn(ms, perSecond); at++) {
      if (at === newcomerAt && !desk.askPlainly()) entered('newcomer');
      if (at < dueIn(ms, perSecond) && !desk.ask()) entered('crowd');
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
    const desk = new Desk(2);
    desk.drain(2);
    const slot = desk.ask();

    await desk.clock.advance(500 + SLOT_GRACE_MS - 1);
    desk.drain(1);
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
      // A node of one turn a second keeps none.
      perSecond: fc.integer({ min: 2, max: 50 }),
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

describe('SlotBook before a crowd that takes tickets and stays away', () => {
  it.each([
    { rate: 1, perSecond: 3 },
    { rate: 2, perSecond: 6 },
    { rate: 10, perSecond: 11 },
    { rate: 10, perSecond: 30 },
    { rate: 100, perSecond: 110 },
  ])('gives all turns of a rate of $rate away ($perSecond come in a second)', async ({ rate, perSecond }) => {
    const desk = new Desk(rate);
    const seconds = 300;
    const entered = { crowd: 0, newcomer: 0 };

    await flood(desk, { perSecond, forMs: seconds * 1_000, entered: (by) => entered[by]++ });

    const turns = (entered.crowd + entered.newcomer) / (seconds * rate);
    expect(turns).toBeGreaterThan(0.95);
    expect(turns).toBeLessThanOrEqual((seconds + 1) / seconds);
    expect(entered.newcomer).toBeGreaterThan(0);
  });

  it.each([
    { places: 2, perSecond: 10 },
    { places: 10, perSecond: 10 },
    { places: 100, perSecond: 60 },
    { places: 500, perSecond: 300 },
  ])('gives the places of a full node of $places away that become free', async ({ places, perSecond }) => {
    const desk = new Desk(0, places);
    desk.room = places;
    const { next: chance } = seeded(4);
    const leavingAt = new Map<number, number>();
    const entered = { crowd: 0, newcomer: 0 };
    let now = 0;
    let freed = 0;

    await flood(desk, {
      perSecond,
      forMs: 120_000,
      entered: (by) => {
        entered[by]++;
        desk.room--;
        const at = now + TICK_MS * Math.ceil(400 * chance());
        leavingAt.set(at, (leavingAt.get(at) ?? 0) + 1);
      },
      tick: (ms) => {
        now = ms;
        const leaving = leavingAt.get(ms) ?? 0;
        desk.room += leaving;
        freed += leaving;
      },
    });

    expect(freed).toBeGreaterThan(10 * places);
    expect(entered.crowd + entered.newcomer).toBeGreaterThanOrEqual(0.95 * freed);
    expect(entered.newcomer).toBeGreaterThan(0);
  });

  it(`keeps ${MAX_KEPT_PLACES} places for owners who are late, and not one more`, async () => {
    const desk = new Desk(0, 100);
    desk.room = 0;
    for (let at = 0; at < 50; at++) desk.ask();
    await desk.clock.advance(FULL_WAIT_MS + 1_000);

    desk.room = MAX_KEPT_PLACES;
    const within = desk.askPlainly();
    desk.room = MAX_KEPT_PLACES + 1;
    const beyond = desk.askPlainly();

    expect([within === undefined, beyond === undefined]).toEqual([false, true]);
  });

  it('keeps half of the bucket for owners who are late', async () => {
    const desk = new Desk(10);
    desk.drain(10);
    const slots = Array.from({ length: 20 }, () => desk.ask());
    await desk.clock.advance(2_000);

    const strangers = Array.from({ length: 10 }, () => desk.askPlainly());
    const owners = slots.slice(0, 6).map((slot) => desk.ask(slot?.ticket));

    expect(strangers.filter((slot) => slot === undefined)).toHaveLength(5);
    expect(owners.map((slot) => slot === undefined)).toEqual([true, true, true, true, true, false]);
  });
});

describe('SlotBook of one of two nodes behind a balancer', () => {
  it('gives its whole rate while those who have a ticket come back to any of them', async () => {
    const [rate, seconds] = [100, 30];
    const desks = [new Desk(rate), new Desk(rate)];
    const { next: chance } = seeded(3);
    const given = desks.map(() => 0);
    // Slots of both nodes, for twice as many as both take in this time.
    const comers = Array.from({ length: 4 * rate * seconds }, () => ({
      at: 0,
      ticket: undefined as string | undefined,
    }));

    for (let ms = 0; ms < seconds * 1_000; ms += TICK_MS) {
      for (const comer of comers) {
        if (comer.at > ms) continue;
        const node = chance() < 0.5 ? 0 : 1;
        const slot = desks[node]?.ask(comer.ticket);
        comer.at = slot ? ms + slot.retryAfterMs : Infinity;
        comer.ticket = slot?.ticket;
        if (!slot) given[node] = (given[node] ?? 0) + 1;
      }
      for (const { clock } of desks) await clock.advance(TICK_MS);
    }

    for (const turns of given) expect(turns / (rate * seconds)).toBeGreaterThan(0.95);
  });
});

describe('SlotBook of a node that is full', () => {
  it('sends those who come one after the other, and nobody at once', () => {
    const desk = new Desk(0);
    desk.room = 0;

    expect(waitsOf([desk.ask(), desk.ask()])).toEqual([FULL_WAIT_MS, FULL_WAIT_MS + 10]);
  });

  it('gives a place that becomes free to who has waited', async () => {
    const desk = new Desk(0, 2);
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

import type { Clock } from './clock.interface.js';
import { OldestFirst, type Place } from './oldest-first.js';
import type { Random } from './random.interface.js';

/** How far ahead slots are given. Who is refused beyond it comes back later, at a time that is drawn. */
export const MAX_SLOT_WAIT_MS = 60_000;

/** Slots that wait for their owners. Beyond it none is given, as beyond {@link MAX_SLOT_WAIT_MS}. */
export const MAX_SLOTS = 10_000;

/**
 * How long a slot is kept for an owner who is late: it fetches a token, resolves a name and shakes hands for TLS
 * before it is heard. Then its turn goes to others.
 */
export const SLOT_GRACE_MS = 5_000;

/** Where the node is full nobody knows when somebody leaves: who waits asks again after this long, at the earliest. */
export const FULL_WAIT_MS = 5_000;

/** The distance of slots where no rate gives it. */
const FULL_PACE_MS = 10;

/**
 * Places that stand empty for owners whose slots are due, and half of all places at most. Owners come
 * {@link FULL_PACE_MS} apart, so that these are enough while each of them is less than 160 ms late, which is a
 * round trip or two. More of them would stand empty where a crowd takes slots and stays away.
 */
export const MAX_KEPT_PLACES = 16;

/** Sums of fractions miss whole numbers by less. */
const ROUNDING = 1e-6;

/** A turn that was not given: how long to wait, and the ticket that keeps the slot for whoever has it. */
export interface Slot {
  readonly retryAfterMs: number;
  readonly ticket?: string;
}

export interface Applicant {
  /** Of an earlier refusal. */
  readonly ticket?: string;
  /** Whether it can bring a ticket back. The others get a time, and when it comes compete with who is new. */
  readonly takesTickets: boolean;
  /** Places that the node has left. */
  readonly room: number;
}

/** What a node can take. */
export interface Capacity {
  /** Turns in a second; 0 for any number. */
  readonly perSecond: number;
  /** Connections at the same time; `Infinity` for any number. */
  readonly places: number;
}

interface Held {
  readonly ticket: string;
  readonly dueAt: number;
  place?: Place;
}

/**
 * Gives turns at a rate, and slots to those who come too early: the n-th of them is told the n-th turn that is
 * free. A bucket of turns fills at the rate, up to one second's. For owners whose slots are due as many turns are
 * kept, but never more than half of the bucket: so it does not run over while somebody wants to come in, and a
 * crowd that takes slots and stays away costs nobody a turn. Of one turn a second none is kept.
 */
export class SlotBook {
  readonly #byTicket = new Map<string, Held>();
  readonly #future = new OldestFirst<Held>();
  readonly #due = new OldestFirst<Held>();
  readonly #perSecond: number;
  readonly #paceMs: number;
  readonly #maxKeptTurns: number;
  readonly #maxKeptPlaces: number;
  #turns: number;
  #filledAt: number;
  #lastDueAt = -Infinity;

  constructor(
    { perSecond, places }: Capacity,
    private readonly clock: Clock,
    private readonly random: Random,
  ) {
    this.#perSecond = perSecond;
    this.#paceMs = perSecond > 0 ? 1_000 / perSecond : FULL_PACE_MS;
    this.#maxKeptTurns = Math.floor(perSecond / 2);
    this.#maxKeptPlaces = Math.min(MAX_KEPT_PLACES, Math.floor(places / 2));
    this.#turns = perSecond > 0 ? perSecond : Infinity;
    this.#filledAt = clock.now();
  }

  /** Slots that wait for their owners. */
  get size(): number {
    return this.#byTicket.size;
  }

  /** Whether nobody without a slot gets a place, though there are turns. */
  isFull(room: number): boolean {
    return room - this.#keptPlaces < 1;
  }

  /** `undefined` is a turn, which is taken with it. */
  ask({ ticket, takesTickets, room }: Applicant): Slot | undefined {
    const now = this.clock.now();
    this.sweep(now);
    const own = ticket === undefined ? undefined : this.#byTicket.get(ticket);
    const isDue = own !== undefined && own.dueAt <= now;
    const turns = isDue ? this.#turns : this.#freeTurns;
    const places = isDue ? room : room - this.#keptPlaces;
    if (Math.min(turns, places) >= 1 - ROUNDING) {
      this.#turns -= 1;
      if (own) this.#forget(own);
      return undefined;
    }
    if (own && !isDue) return { retryAfterMs: Math.ceil(own.dueAt - now), ticket };
    if (own) this.#forget(own);
    return this.#giveSlot(now, takesTickets, room);
  }

  /** Moves on to `now`: fills the bucket, and lets go of slots whose owners have not come. */
  sweep(now: number): void {
    if (this.#perSecond > 0) {
      const filled = this.#turns + (now - this.#filledAt) / this.#paceMs;
      this.#turns = Math.min(this.#perSecond, filled);
    }
    this.#filledAt = now;
    for (let next = this.#future.oldest; next && next.dueAt <= now; next = this.#future.oldest) {
      next.place?.leave();
      next.place = this.#due.add(next);
    }
    for (let next = this.#due.oldest; next && next.dueAt + SLOT_GRACE_MS <= now; next = this.#due.oldest) {
      this.#forget(next);
    }
  }

  /** Turns that nobody with a slot has a claim to. */
  get #freeTurns(): number {
    return this.#turns - Math.min(this.#due.size, this.#maxKeptTurns);
  }

  get #keptPlaces(): number {
    return Math.min(this.#due.size, this.#maxKeptPlaces);
  }

  #giveSlot(now: number, takesTickets: boolean, room: number): Slot {
    // As many turns as are missing have to come first.
    const turnMs = (1 - this.#freeTurns) * this.#paceMs;
    const soonest = now + Math.max(turnMs, this.isFull(room) ? FULL_WAIT_MS : 0);
    const dueAt = Math.max(soonest, this.#lastDueAt + this.#paceMs);
    if (dueAt - now > MAX_SLOT_WAIT_MS || this.#byTicket.size >= MAX_SLOTS) return this.#giveTime();
    this.#lastDueAt = dueAt;
    const retryAfterMs = Math.max(1, Math.ceil(dueAt - now));
    if (!takesTickets) return { retryAfterMs };
    const held: Held = { ticket: this.random.id(), dueAt };
    this.#byTicket.set(held.ticket, held);
    held.place = this.#future.add(held);
    return { retryAfterMs, ticket: held.ticket };
  }

  /** When the slots that are given now have passed. */
  #giveTime(): Slot {
    return { retryAfterMs: Math.ceil(MAX_SLOT_WAIT_MS * (1 + this.random.next())) };
  }

  #forget(held: Held): void {
    this.#byTicket.delete(held.ticket);
    held.place?.leave();
  }
}

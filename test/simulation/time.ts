import type { ClientClock } from '../../lib/client/clock.interface.js';
import type { Clock } from '../../lib/core/clock.interface.js';

/** Far more than a history needs: more of them is a loop without a wait. */
const MOST_TIMERS = 20_000;

interface Timer {
  at: number;
  /** Decides between timers of the same instant. */
  order: number;
  readonly everyMs: number;
  readonly owner: OwnClock;
  /** Gone when it has fired for good, or was cleared. */
  callback: (() => void) | undefined;
}

let waiting: (() => void)[] = [];

/**
 * Resolves when every promise that can settle has settled: the event loop turns only then. Histories that
 * are played beside each other share the turns, which is what makes them cheap.
 */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    if (waiting.length === 0) setImmediate(wakeAll);
    waiting.push(resolve);
  });
}

function wakeAll(): void {
  const awake = waiting;
  waiting = [];
  for (const wake of awake) wake();
}

/** The time of one history. It moves when it is told to, from timer to timer. */
export class Time {
  #now = 0;
  #order = 0;
  #fired = 0;
  /** A binary heap: the timer that is due first is in front. */
  readonly #heap: Timer[] = [];
  #afterTurn: { readonly owner: OwnClock; readonly callback: () => void }[] = [];

  get now(): number {
    return this.#now;
  }

  /** Lets all that has been begun come to rest, without time passing. */
  async settle(): Promise<void> {
    for (;;) {
      await turn();
      if (this.#afterTurn.length === 0) return;
      const due = this.#afterTurn;
      this.#afterTurn = [];
      for (const { owner, callback } of due) if (owner.runs) callback();
    }
  }

  async advance(ms: number): Promise<void> {
    const target = this.#now + ms;
    await this.settle();
    for (let timer = this.#take(target); timer; timer = this.#take(target)) {
      if (++this.#fired > MOST_TIMERS) throw new Error('a loop without a wait');
      this.#now = timer.at;
      this.#fire(timer);
      await this.settle();
    }
    this.#now = target;
  }

  start(owner: OwnClock, callback: () => void, ms: number, everyMs = 0): Timer {
    const timer = { at: this.#now + Math.max(ms, 1), order: ++this.#order, everyMs, owner, callback };
    this.#push(timer);
    return timer;
  }

  atEndOfTurn(owner: OwnClock, callback: () => void): void {
    this.#afterTurn.push({ owner, callback });
  }

  #fire(timer: Timer): void {
    const { callback, everyMs, owner } = timer;
    if (everyMs > 0) {
      timer.at = this.#now + everyMs;
      timer.order = ++this.#order;
      this.#push(timer);
    } else {
      timer.callback = undefined;
      owner.ended();
    }
    callback?.();
  }

  /** The next timer up to an instant, out of the heap. */
  #take(target: number): Timer | undefined {
    for (;;) {
      const first = this.#heap[0];
      if (!first || (first.callback && first.at > target)) return undefined;
      this.#pop();
      if (first.callback) return first;
    }
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let at = heap.push(timer) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(timer, heap[parent] as Timer)) break;
      heap[at] = heap[parent] as Timer;
      at = parent;
    }
    heap[at] = timer;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Timer;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Timer, heap[child] as Timer)) child++;
      if (!isBefore(heap[child] as Timer, last)) break;
      heap[at] = heap[child] as Timer;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(one: Timer, other: Timer): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}

/** The clock of one process: it can be asked how much is left running, and stops when the process dies. */
export class OwnClock implements Clock, ClientClock {
  #running = 0;
  #isDead = false;

  constructor(private readonly time: Time) {}

  get runs(): boolean {
    return !this.#isDead;
  }

  /** Timers that may still fire. */
  get pendingTimers(): number {
    return this.#running;
  }

  now(): number {
    return this.time.now;
  }

  wallNow(): number {
    return this.time.now;
  }

  setTimeout(callback: () => void, ms: number): object {
    this.#running++;
    return this.time.start(this, () => this.runs && callback(), ms);
  }

  setInterval(callback: () => void, ms: number): object {
    this.#running++;
    return this.time.start(this, () => this.runs && callback(), ms, ms);
  }

  clearTimer(timer: unknown): void {
    const known = timer as Timer | undefined;
    if (!known?.callback) return;
    known.callback = undefined;
    this.#running--;
  }

  afterTurn(callback: () => void): void {
    this.time.atEndOfTurn(this, callback);
  }

  /** The process has died: nothing of it runs any more. */
  die(): void {
    this.#isDead = true;
  }

  /** A timer has fired for the last time. */
  ended(): void {
    this.#running--;
  }
}

/** How fast a {@link TokenBucket} fills, and how much it holds. All are whole numbers. */
export interface Rate {
  /** Points that come in `perMs`. */
  readonly points: number;
  readonly perMs: number;
  /** Points that it holds when it is full. */
  readonly burst: number;
}

/**
 * Holds points that are taken faster or slower than they come; full at first. Counts in parts, `perMs` to a
 * point, so that every millisecond adds a whole number of them: nothing is lost to rounding, however often it
 * is asked. Owns no timer, and fills up when it is looked at.
 */
export class TokenBucket {
  /** In parts; below zero where something is owed. */
  #level: number;
  #at: number;

  constructor(
    private readonly rate: Rate,
    now: number,
  ) {
    this.#level = this.#capacity;
    this.#at = Math.floor(now);
  }

  /** Whether it has so many points now. What costs more than it can hold needs it full. */
  has(points: number, now: number): boolean {
    this.#fill(now);
    return this.#level >= this.#parts(points);
  }

  isFull(now: number): boolean {
    this.#fill(now);
    return this.#level === this.#capacity;
  }

  /** Takes points, also where they are not there: then they are owed. */
  take(points: number): void {
    this.#level -= this.#parts(points);
  }

  /** Whether more was taken than was there. */
  owes(now: number): boolean {
    this.#fill(now);
    return this.#level < 0;
  }

  /** How long it takes until it has so many points, in milliseconds, at least 1. */
  msUntil(points: number, now: number): number {
    this.#fill(now);
    return Math.max(1, Math.ceil((this.#parts(points) - this.#level) / this.rate.points));
  }

  #fill(now: number): void {
    const elapsedMs = Math.floor(now) - this.#at;
    if (elapsedMs <= 0) return;
    this.#at += elapsedMs;
    this.#level = Math.min(this.#capacity, this.#level + elapsedMs * this.rate.points);
  }

  get #capacity(): number {
    return this.rate.burst * this.rate.perMs;
  }

  #parts(points: number): number {
    return Math.min(points, this.rate.burst) * this.rate.perMs;
  }
}

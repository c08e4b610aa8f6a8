/** What one client is given of numbered publications, and whether it was told of every hole in it. */
export class Tape {
  /** Publications, each counted once. */
  delivered = 0;
  /** What came a second time, or behind a later one. */
  repeated = 0;
  /** Numbers that were skipped, in one or more places. */
  holes = 0;
  /** Holes without a word before what came behind them. */
  undetected = 0;
  /** `$gap` events. */
  told = 0;
  last = 0;
  #isTold = false;

  gap() {
    this.told++;
    this.#isTold = true;
  }

  take(number) {
    if (number <= this.last) {
      this.repeated++;
      return;
    }
    this.#skip(number - this.last - 1);
    this.#isTold = false;
    this.last = number;
    this.delivered++;
  }

  /** The last publication was this one. */
  end(number) {
    this.#skip(number - this.last);
  }

  #skip(count) {
    if (count <= 0) return;
    this.holes++;
    if (!this.#isTold) this.undetected++;
  }
}

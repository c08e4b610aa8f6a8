/** What waits for its turn. */
export interface Turn {
  /** May leave the lane before it returns. */
  start(): void;
}

/** Most connections wait for nothing; shared by all of them. */
const NOBODY: Turn[] = [];

/** Takes turns one after the other, in the order in which they came. */
export class Lane {
  #current?: Turn;
  #waiting = NOBODY;
  #advancing = false;
  #parked = false;

  /** How many wait; the one that runs is not among them. */
  get waiting(): number {
    return this.#waiting.length;
  }

  get isParked(): boolean {
    return this.#parked;
  }

  /** Starts the turn, or keeps it until those before it have left. `false` where it has to wait. */
  enter(turn: Turn): boolean {
    if (this.#current || this.#parked || this.#waiting.length > 0) {
      if (this.#waiting === NOBODY) this.#waiting = [];
      this.#waiting.push(turn);
      return false;
    }
    this.#current = turn;
    turn.start();
    return true;
  }

  /** The turn is over: the next one starts. Anybody else's is not ended by it. */
  leave(turn: Turn): void {
    if (this.#current !== turn) return;
    this.#current = undefined;
    if (!this.#advancing) this.#advance();
  }

  /** Nobody starts from here on; whose turn it is goes on. */
  park(): void {
    this.#parked = true;
  }

  /** Those that wait may start again. */
  resume(): void {
    this.#parked = false;
    if (!this.#advancing) this.#advance();
  }

  /** A loop and not a recursion: all that wait may be over at once. */
  #advance(): void {
    this.#advancing = true;
    while (!this.#current && !this.#parked && this.#waiting.length > 0) {
      this.#current = this.#waiting.shift() as Turn;
      this.#current.start();
    }
    this.#advancing = false;
    // An array that has been used keeps its room.
    if (this.#waiting.length === 0) this.#waiting = NOBODY;
  }
}

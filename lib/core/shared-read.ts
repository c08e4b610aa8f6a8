/** A read that all share who ask at a time. What one gets was read after it has asked. */
export class SharedRead<T> {
  /** Ends with the read and the pause behind it. */
  #busy?: Promise<void>;
  /** Begins when the running one has ended: that one may be older than the question. */
  #next?: Promise<T>;

  /** @param pause - ends when the next read may follow one with this answer */
  constructor(
    private readonly begin: () => Promise<T> | T,
    private readonly pause?: (answer: T) => Promise<void> | void,
  ) {}

  read(): Promise<T> | T {
    if (this.#busy) return (this.#next ??= this.#after(this.#busy));
    const answer = this.begin();
    return answer instanceof Promise ? this.#run(answer) : answer;
  }

  /** Resolves when all that was asked for until now is read. */
  async idle(): Promise<void> {
    // What waits begins behind what runs.
    // oxlint-disable-next-line no-await-in-loop
    while (this.#busy ?? this.#next) await Promise.allSettled([this.#busy, this.#next]);
  }

  async #after(busy: Promise<void>): Promise<T> {
    await busy;
    this.#next = undefined;
    return this.#run(Promise.resolve(this.begin()));
  }

  #run(answer: Promise<T>): Promise<T> {
    const busy = this.#ended(answer).then(() => {
      if (this.#busy === busy) this.#busy = undefined;
    });
    this.#busy = busy;
    return answer;
  }

  async #ended(answer: Promise<T>): Promise<void> {
    let read: T;
    try {
      read = await answer;
    } catch {
      // How it ended is told to those who have asked for it.
      return;
    }
    await this.pause?.(read);
  }
}

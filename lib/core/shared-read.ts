/** A read that all share who ask at a time. What one gets was read after it has asked. */
export class SharedRead<T> {
  #running?: Promise<T>;
  /** Begins when the running one has ended: that one may be older than the question. */
  #next?: Promise<T>;

  constructor(private readonly begin: () => Promise<T> | T) {}

  get isIdle(): boolean {
    return !this.#running && !this.#next;
  }

  read(): Promise<T> | T {
    const running = this.#running;
    if (running) return (this.#next ??= this.#after(running));
    const answer = this.begin();
    return answer instanceof Promise ? this.#run(answer) : answer;
  }

  async #after(running: Promise<T>): Promise<T> {
    // How it ended is told to those who have asked for it.
    await running.catch(() => undefined);
    this.#next = undefined;
    return this.#run(Promise.resolve(this.begin()));
  }

  #run(answer: Promise<T>): Promise<T> {
    const running = answer.finally(() => {
      if (this.#running === running) this.#running = undefined;
    });
    this.#running = running;
    return running;
  }
}

type Listener = (...args: never[]) => void;

/** The listeners of one emitter, by event. Each `add` is a registration of its own. */
export class Listeners {
  /** No set of it is empty. */
  readonly #byEvent = new Map<string, Set<Listener>>();

  /** @param failed - is told what a listener threw; the others still run */
  constructor(private readonly failed: (cause: unknown, event: string) => void) {}

  add(event: string, listener: Listener): () => void {
    const registered: Listener = (...args) => listener(...args);
    const listeners = this.#byEvent.get(event) ?? new Set();
    this.#byEvent.set(event, listeners.add(registered));
    return () => {
      if (listeners.delete(registered) && listeners.size === 0) this.#byEvent.delete(event);
    };
  }

  has(event: string): boolean {
    return this.#byEvent.has(event);
  }

  /** Whether anybody listens to an event that is not the protocol's. */
  get wantsPublications(): boolean {
    return [...this.#byEvent.keys()].some((event) => !event.startsWith('$'));
  }

  get isEmpty(): boolean {
    return this.#byEvent.size === 0;
  }

  /** Those that listened when it began are called, in the order in which they came. */
  emit(event: string, ...args: readonly unknown[]): void {
    for (const listener of [...(this.#byEvent.get(event) ?? [])]) {
      try {
        listener(...(args as never[]));
      } catch (cause) {
        this.failed(cause, event);
      }
    }
  }

  clear(): void {
    // Whoever still holds a function that ends a registration must not end a later one.
    for (const listeners of this.#byEvent.values()) listeners.clear();
    this.#byEvent.clear();
  }
}

type Listener = (...args: readonly never[]) => void;

/** The listeners of one emitter, by event. Each `add` is a registration of its own. */
export class Listeners {
  readonly #byEvent = new Map<string, readonly { readonly listener: Listener }[]>();

  /** @param failed - is told what a listener threw; the others still run */
  constructor(private readonly failed: (cause: unknown, event: string) => void) {}

  add(event: string, listener: (...args: never[]) => void): () => void {
    const registration = { listener };
    this.#byEvent.set(event, [...(this.#byEvent.get(event) ?? []), registration]);
    return () => this.#remove(event, registration);
  }

  has(event: string): boolean {
    return this.#byEvent.has(event);
  }

  /** Whether anybody listens to an event that is not the protocol's. */
  get wantsPublications(): boolean {
    for (const event of this.#byEvent.keys()) if (!event.startsWith('$')) return true;
    return false;
  }

  get isEmpty(): boolean {
    return this.#byEvent.size === 0;
  }

  /** Those that listened when it began are called, in the order in which they came. */
  emit(event: string, ...args: readonly unknown[]): void {
    for (const { listener } of this.#byEvent.get(event) ?? []) {
      try {
        listener(...(args as never[]));
      } catch (cause) {
        this.failed(cause, event);
      }
    }
  }

  clear(): void {
    this.#byEvent.clear();
  }

  #remove(event: string, registration: { readonly listener: Listener }): void {
    const others = (this.#byEvent.get(event) ?? []).filter((other) => other !== registration);
    if (others.length > 0) this.#byEvent.set(event, others);
    else this.#byEvent.delete(event);
  }
}

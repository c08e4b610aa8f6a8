import type { Observers } from './observers.js';
import type { Subscription } from './subscription.js';

/** Who is in a channel. */
type Subscriptions = ReadonlySet<Subscription>;

/**
 * Publications that have come without a position on channels with history: whoever has made them knows of no
 * history. Subscribers are told of a gap, and the operator that there are two opinions.
 */
export class UnplacedPublications {
  /** By channel. However many there are, a subscriber reloads its state once for all that came in between. */
  readonly #untold = new Map<string, Subscriptions>();
  /** Those whose channel the operator has been told of. */
  readonly #warned = new WeakSet<Subscriptions>();

  constructor(private readonly observers: Observers) {}

  /** Channels whose subscribers have not been told. */
  get size(): number {
    return this.#untold.size;
  }

  add(channel: string, subscriptions: Subscriptions): void {
    this.#untold.set(channel, subscriptions);
  }

  /** Tells what has come since it was told before. */
  tell(): void {
    if (this.#untold.size === 0) return;
    const untold = [...this.#untold];
    this.#untold.clear();
    for (const [, subscriptions] of untold) for (const subscription of subscriptions) subscription.lose();
    this.#warn(untold.filter(([, subscriptions]) => !this.#warned.has(subscriptions)));
  }

  #warn(untold: readonly [string, Subscriptions][]): void {
    const [first] = untold;
    if (!first) return;
    for (const [, subscriptions] of untold) this.#warned.add(subscriptions);
    const others = untold.length === 1 ? '' : `, and so for ${untold.length - 1} more`;
    this.observers.warned(
      `"${first[0]}" has a history here, and is published to by somebody who knows of none${others}: such a ` +
        'publication is in no history, and subscribers get $gap in its place; share one defineChannel(...) ' +
        'between all nodes and workers. In a deploy that adds the history it ends with the last of the old ones.',
    );
  }
}

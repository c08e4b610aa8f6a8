import type { DedupKey, StoredAnswer } from './dedup-store.interface.js';
import type { Engine } from './engine.js';
import type { Place } from './oldest-first.js';

/** The run of a handler under a claim. */
export interface ClaimedRun {
  /** Where failures are said to come from. */
  readonly where: string;

  /** The claim is not renewed any more: the handler has had the whole dedup window. */
  giveUp(): void;
}

/** A claim that this node has been given: the handler of its message runs here. */
export class HeldClaim {
  /** When it is to be renewed; kept by {@link Claims}. */
  renewAt = 0;

  /** Among those that are renewed. */
  place?: Place;

  /** From here on it is not renewed, whatever the handler does. */
  readonly endsAt: number;

  #hasRun = false;

  constructor(
    private readonly engine: Engine,
    private readonly key: DedupKey,
    private readonly fence: number,
    private readonly run: ClaimedRun,
  ) {
    const now = engine.clock.now();
    this.endsAt = now + engine.options.dedupWindowMs;
    engine.claims.add(this, now);
  }

  renew(): Promise<boolean> | boolean {
    return this.engine.dedup.renew(this.key, this.fence);
  }

  /** The handler has had the whole dedup window. */
  giveUp(): void {
    if (!this.#hasRun) this.run.giveUp();
  }

  /**
   * Stores the answer, and calls `then` when that is done or has failed: the handler has run in any case. Until then
   * the claim is renewed: a store that is away may take its time.
   */
  store(answer: StoredAnswer, then: () => void): void {
    const check = (held: boolean): void => {
      if (!held) this.#report(new Error('its claim was lost while it ran; a copy may have run as well'));
    };
    this.#end(() => this.engine.dedup.resolve(this.key, this.fence, answer), check, then);
  }

  /** Lets the next copy run, and calls `then` when that is done or has failed. */
  free(then: () => void = () => undefined): void {
    this.place?.leave();
    this.#end(
      () => this.engine.dedup.release(this.key, this.fence),
      () => undefined,
      then,
    );
  }

  /** Without a promise where the store needs none. */
  #end<T>(work: () => Promise<T> | T, check: (result: T) => void, then: () => void): void {
    this.#hasRun = true;
    let result: Promise<T> | T;
    try {
      result = work();
    } catch (error) {
      this.place?.leave();
      this.#report(error);
      then();
      return;
    }
    if (result instanceof Promise) {
      this.#finish(result.then(check), then);
      return;
    }
    this.place?.leave();
    check(result);
    then();
  }

  /** A shutdown waits for the store, too. */
  #finish(work: Promise<void>, then: () => void): void {
    this.engine.begin();
    void work
      .catch((error: unknown) => this.#report(error))
      .then(() => {
        this.place?.leave();
        then();
      })
      .finally(() => this.engine.finish());
  }

  #report(error: unknown): void {
    this.engine.observers.failed({ where: this.run.where, error });
  }
}

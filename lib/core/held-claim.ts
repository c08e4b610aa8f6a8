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

  /** From here on it is not renewed, whatever the handler does; kept by {@link Claims}. */
  endsAt = 0;

  #hasRun = false;

  constructor(
    private readonly engine: Engine,
    private readonly key: DedupKey,
    private readonly fence: number,
    private readonly run: ClaimedRun,
  ) {}

  /** Somebody waits, for the handler or for the store: from now on it is renewed. */
  keep(): void {
    if (!this.place) this.engine.claims.keep(this);
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
    this.#hasRun = true;
    try {
      const stored = this.engine.dedup.resolve(this.key, this.fence, answer);
      if (stored instanceof Promise) {
        this.keep();
        this.#finish(
          stored.then((held) => this.#check(held)),
          then,
        );
        return;
      }
      this.#check(stored);
    } catch (error) {
      this.#report(error);
    }
    this.place?.leave();
    then();
  }

  /** Lets the next copy run, and calls `then` when that is done or has failed. */
  free(then: () => void = () => undefined): void {
    this.#hasRun = true;
    this.place?.leave();
    try {
      const freed = this.engine.dedup.release(this.key, this.fence);
      if (freed instanceof Promise) {
        this.#finish(freed, then);
        return;
      }
    } catch (error) {
      this.#report(error);
    }
    then();
  }

  #check(held: boolean): void {
    if (!held) this.#report(new Error('its claim was lost while it ran; a copy may have run as well'));
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

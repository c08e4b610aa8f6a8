import { EventEmitter, once } from 'node:events';

/** Something that changes, for a test to wait for. */
export class Signal {
  readonly #changes = new EventEmitter();

  /** Resolves when it fits what is so far. The test's own timeout ends a wait in vain. */
  async until(fits: (seen: this) => boolean): Promise<void> {
    while (!fits(this)) await once(this.#changes, 'change');
  }

  protected tell(): void {
    this.#changes.emit('change');
  }
}

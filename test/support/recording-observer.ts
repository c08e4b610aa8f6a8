import { EventEmitter, once } from 'node:events';
import type { Failure, FaultKind, Observer } from 'nestjs-channels';

/** Keeps the facts that the engine reports, for a test to look at or to wait for. */
export class RecordingObserver implements Observer {
  readonly closes: { readonly code: number; readonly reason: string }[] = [];
  readonly faults: FaultKind[] = [];
  readonly failures: Failure[] = [];
  readonly acks: string[] = [];
  readonly #facts = new EventEmitter();

  closed(_connection: unknown, code: number, reason: string): void {
    this.closes.push({ code, reason });
    this.#facts.emit('fact');
  }

  faulted(_connection: unknown, kind: FaultKind): void {
    this.faults.push(kind);
    this.#facts.emit('fact');
  }

  failed(failure: Failure): void {
    this.failures.push(failure);
    this.#facts.emit('fact');
  }

  acked(_connection: unknown, event: string, outcome: string): void {
    this.acks.push(`${event} ${outcome}`);
    this.#facts.emit('fact');
  }

  /** Resolves when the facts so far fit. The test's own timeout ends a wait in vain. */
  async until(fits: (observer: this) => boolean): Promise<void> {
    while (!fits(this)) await once(this.#facts, 'fact');
  }
}

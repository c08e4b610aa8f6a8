import type { Connection } from './connection.js';
import type { Failure, FaultKind, Observer, Refusal } from './observer.interface.js';

type Having<K extends keyof Observer> = Observer & Required<Pick<Observer, K>>;

/** Reports each fact to those observers that want it. A fact that nobody wants costs a look at an empty list. */
export class Observers implements Required<Observer> {
  readonly #opened: readonly Having<'opened'>[];
  readonly #closed: readonly Having<'closed'>[];
  readonly #refused: readonly Having<'refused'>[];
  readonly #faulted: readonly Having<'faulted'>[];
  readonly #failed: readonly Having<'failed'>[];
  readonly #published: readonly Having<'published'>[];
  readonly #delivered: readonly Having<'delivered'>[];
  readonly #acked: readonly Having<'acked'>[];
  readonly #gap: readonly Having<'gap'>[];

  constructor(observers: readonly Observer[]) {
    const having = <K extends keyof Observer>(fact: K): Having<K>[] =>
      observers.filter((observer): observer is Having<K> => observer[fact] !== undefined);
    this.#opened = having('opened');
    this.#closed = having('closed');
    this.#refused = having('refused');
    this.#faulted = having('faulted');
    this.#failed = having('failed');
    this.#published = having('published');
    this.#delivered = having('delivered');
    this.#acked = having('acked');
    this.#gap = having('gap');
  }

  opened(connection: Connection): void {
    for (const observer of this.#opened) observer.opened(connection);
  }

  closed(connection: Connection, code: number, reason: string): void {
    for (const observer of this.#closed) observer.closed(connection, code, reason);
  }

  refused(refusal: Refusal): void {
    for (const observer of this.#refused) observer.refused(refusal);
  }

  faulted(connection: Connection, kind: FaultKind): void {
    for (const observer of this.#faulted) observer.faulted(connection, kind);
  }

  failed(failure: Failure): void {
    for (const observer of this.#failed) observer.failed(failure);
  }

  published(channel: string, event: string): void {
    for (const observer of this.#published) observer.published(channel, event);
  }

  delivered(channel: string, subscribers: number): void {
    for (const observer of this.#delivered) observer.delivered(channel, subscribers);
  }

  acked(connection: Connection, event: string, outcome: 'done' | 'failed' | 'timeout'): void {
    for (const observer of this.#acked) observer.acked(connection, event, outcome);
  }

  gap(connection: Connection, channel: string): void {
    for (const observer of this.#gap) observer.gap(connection, channel);
  }
}

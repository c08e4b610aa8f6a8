import type { BrokerState } from './broker.interface.js';
import type {
  AckOutcome,
  DrainReport,
  Failure,
  FaultKind,
  JoinOutcome,
  ObservedConnection,
  ObservedDrain,
  ObservedNode,
  Observer,
  Refusal,
} from './observer.interface.js';

type Having<K extends keyof Observer> = Observer & Required<Pick<Observer, K>>;

/**
 * Reports each fact to those observers that want it; one that nobody wants costs a look at an empty
 * list. An observer that throws is reported itself, and changes nothing for anybody else.
 */
export class Observers implements Required<Observer> {
  #started: readonly Having<'started'>[] = [];
  #opened: readonly Having<'opened'>[] = [];
  #closed: readonly Having<'closed'>[] = [];
  #refused: readonly Having<'refused'>[] = [];
  #faulted: readonly Having<'faulted'>[] = [];
  #failed: readonly Having<'failed'>[] = [];
  #published: readonly Having<'published'>[] = [];
  #accepted: readonly Having<'accepted'>[] = [];
  #probed: readonly Having<'probed'>[] = [];
  #delivered: readonly Having<'delivered'>[] = [];
  #timed: readonly Having<'timed'>[] = [];
  #acked: readonly Having<'acked'>[] = [];
  #evicted: readonly Having<'evicted'>[] = [];
  #brokerChanged: readonly Having<'brokerChanged'>[] = [];
  #warned: readonly Having<'warned'>[] = [];
  #gap: readonly Having<'gap'>[] = [];
  #dropped: readonly Having<'dropped'>[] = [];
  #swept: readonly Having<'swept'>[] = [];
  #joined: readonly Having<'joined'>[] = [];
  #handled: readonly Having<'handled'>[] = [];
  #flushed: readonly Having<'flushed'>[] = [];
  #refreshed: readonly Having<'refreshed'>[] = [];
  #revoked: readonly Having<'revoked'>[] = [];
  #watched: readonly Having<'watched'>[] = [];
  #draining: readonly Having<'draining'>[] = [];
  #drained: readonly Having<'drained'>[] = [];
  #stopped: readonly Having<'stopped'>[] = [];
  #ended: readonly Having<'ended'>[] = [];

  /** Each a thing of its own, also where an observer is there twice. */
  #all: readonly { readonly observer: Observer }[];
  #expectsTiming = false;
  #hasEnded = false;

  constructor(observers: readonly Observer[]) {
    this.#all = observers.map((observer) => ({ observer }));
    this.#sort();
  }

  /** One more, from now on, until what this gives is called; that may be done twice. */
  attach(observer: Observer): () => void {
    const entry = { observer };
    this.#all = [...this.#all, entry];
    this.#sort();
    return () => {
      this.#all = this.#all.filter((other) => other !== entry);
      this.#sort();
    };
  }

  /** Somebody may be attached later who wants the time of handlers: they are made so that it can be had. */
  expectTiming(): void {
    this.#expectsTiming = true;
  }

  /** Whether handlers are to be made so that their time can be had, now or later. */
  get mayMeasureHandlers(): boolean {
    return this.#expectsTiming || this.measuresHandlers;
  }

  /** Whether anybody wants to know now how long handlers take: to measure it costs each message something. */
  get measuresHandlers(): boolean {
    return this.#handled.length > 0;
  }

  /** The same of {@link flushed}. */
  get measuresFlushes(): boolean {
    return this.#flushed.length > 0;
  }

  /** The same of {@link accepted}. */
  get measuresPublications(): boolean {
    return this.#accepted.length > 0;
  }

  /** Whether clients are to measure the answers to their messages. */
  get measuresClients(): boolean {
    return this.#timed.length > 0;
  }

  started(node: ObservedNode): void {
    for (const observer of this.#started) this.#guard(() => observer.started(node));
  }

  opened(connection: ObservedConnection): void {
    for (const observer of this.#opened) this.#guard(() => observer.opened(connection));
  }

  closed(connection: ObservedConnection, code: number, reason: string): void {
    for (const observer of this.#closed) this.#guard(() => observer.closed(connection, code, reason));
  }

  refused(refusal: Refusal): void {
    for (const observer of this.#refused) this.#guard(() => observer.refused(refusal));
  }

  faulted(connection: ObservedConnection, kind: FaultKind, event?: string): void {
    for (const observer of this.#faulted) this.#guard(() => observer.faulted(connection, kind, event));
  }

  failed(failure: Failure): void {
    for (const observer of this.#failed) {
      // Where the one that takes reports of failures fails, the others still hear of the first one.
      attempt(
        () => observer.failed(failure),
        () => undefined,
      );
    }
  }

  published(channel: string, event: string): void {
    for (const observer of this.#published) this.#guard(() => observer.published(channel, event));
  }

  accepted(ms: number): void {
    for (const observer of this.#accepted) this.#guard(() => observer.accepted(ms));
  }

  probed(ms: number): void {
    for (const observer of this.#probed) this.#guard(() => observer.probed(ms));
  }

  delivered(channel: string, subscribers: number): void {
    for (const observer of this.#delivered) this.#guard(() => observer.delivered(channel, subscribers));
  }

  acked(connection: ObservedConnection, event: string, outcome: AckOutcome): void {
    for (const observer of this.#acked) {
      try {
        this.#follow(observer.acked(connection, event, outcome));
      } catch (error) {
        this.#failedItself(error);
      }
    }
  }

  timed(connection: ObservedConnection, ms: number): void {
    for (const observer of this.#timed) this.#guard(() => observer.timed(connection, ms));
  }

  evicted(count: number): void {
    for (const observer of this.#evicted) this.#guard(() => observer.evicted(count));
  }

  brokerChanged(state: BrokerState, reason: string): void {
    for (const observer of this.#brokerChanged) this.#guard(() => observer.brokerChanged(state, reason));
  }

  warned(text: string): void {
    for (const observer of this.#warned) this.#guard(() => observer.warned(text));
  }

  gap(connection: ObservedConnection, channel: string): void {
    for (const observer of this.#gap) this.#guard(() => observer.gap(connection, channel));
  }

  dropped(connection: ObservedConnection, channel: string, count: number): void {
    for (const observer of this.#dropped) this.#guard(() => observer.dropped(connection, channel, count));
  }

  joined(connection: ObservedConnection, channel: string, outcome: JoinOutcome): void {
    for (const observer of this.#joined) this.#guard(() => observer.joined(connection, channel, outcome));
  }

  handled(connection: ObservedConnection, event: string, ms: number): void {
    for (const observer of this.#handled) {
      try {
        this.#follow(observer.handled(connection, event, ms));
      } catch (error) {
        this.#failedItself(error);
      }
    }
  }

  flushed(ms: number): void {
    for (const observer of this.#flushed) this.#guard(() => observer.flushed(ms));
  }

  refreshed(connection: ObservedConnection): void {
    for (const observer of this.#refreshed) this.#guard(() => observer.refreshed(connection));
  }

  revoked(connections: number): void {
    for (const observer of this.#revoked) this.#guard(() => observer.revoked(connections));
  }

  draining(drain: ObservedDrain): void {
    for (const observer of this.#draining) this.#guard(() => observer.draining(drain));
  }

  drained(report: DrainReport): void {
    for (const observer of this.#drained) this.#guard(() => observer.drained(report));
  }

  swept(): void {
    for (const observer of this.#swept) this.#guard(() => observer.swept());
  }

  watched(ms: number): void {
    for (const observer of this.#watched) this.#guard(() => observer.watched(ms));
  }

  stopped(): void {
    for (const observer of this.#stopped) this.#guard(() => observer.stopped());
  }

  ended(): void {
    for (const observer of this.#ended) this.#guard(() => observer.ended());
    // A handler that has outlived the shutdown has somebody to tell of its error, and of nothing else.
    this.#hasEnded = true;
    this.#sort();
  }

  #sort(): void {
    const all = this.#all.map(({ observer }) => observer);
    const having = <K extends keyof Observer>(fact: K): Having<K>[] =>
      this.#hasEnded && fact !== 'failed'
        ? []
        : all.filter((observer): observer is Having<K> => observer[fact] !== undefined);
    this.#started = having('started');
    this.#opened = having('opened');
    this.#closed = having('closed');
    this.#refused = having('refused');
    this.#faulted = having('faulted');
    this.#failed = having('failed');
    this.#published = having('published');
    this.#accepted = having('accepted');
    this.#probed = having('probed');
    this.#delivered = having('delivered');
    this.#timed = having('timed');
    this.#acked = having('acked');
    this.#evicted = having('evicted');
    this.#brokerChanged = having('brokerChanged');
    this.#warned = having('warned');
    this.#gap = having('gap');
    this.#dropped = having('dropped');
    this.#swept = having('swept');
    this.#joined = having('joined');
    this.#handled = having('handled');
    this.#flushed = having('flushed');
    this.#refreshed = having('refreshed');
    this.#revoked = having('revoked');
    this.#draining = having('draining');
    this.#drained = having('drained');
    this.#stopped = having('stopped');
    this.#ended = having('ended');
    this.#watched = having('watched');
  }

  #guard(report: () => unknown): void {
    attempt(report, this.#failedItself);
  }

  /** As `#guard`, for `acked` and `handled`, which are told with each message: without a closure. */
  #follow(result: unknown): void {
    if (result instanceof Promise) result.catch(this.#failedItself);
  }

  readonly #failedItself = (error: unknown): void => this.failed({ where: 'an observer', error });
}

/** An observer may also be an async function, whose rejection nobody waits for. */
function attempt(report: () => unknown, fail: (error: unknown) => void): void {
  try {
    const result = report();
    if (result instanceof Promise) result.catch(fail);
  } catch (error) {
    fail(error);
  }
}

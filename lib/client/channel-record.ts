import type { ChannelPosition } from '../protocol/index.js';
import type { ChannelsClientError } from './client-error.js';
import { Listeners } from './listeners.js';
import type { Settling } from './pending-send.js';
import type { PublicationIterator } from './publication-iterator.js';

/** `joining` and `leaving` while a command is under way. */
export type ChannelPhase = 'out' | 'joining' | 'in' | 'leaving';

/** What a client knows of one channel, whatever handles it has given out. */
export class ChannelRecord {
  readonly listeners: Listeners;
  readonly iterators = new Set<PublicationIterator>();
  /** Calls of `subscribe()` that the next ack settles. */
  readonly joins: Settling[] = [];
  /** Calls of `presence()` that the next answer settles. */
  readonly looks: Settling[] = [];
  phase: ChannelPhase = 'out';
  params: unknown;
  /** Listeners join it; false while all handles say that the server joins it. */
  joinsByItself = false;
  /** `subscribe()` has joined it, so that it stays without a listener. */
  held = false;
  /** The server has joined it: a join that is not repeated, but by those who listen to it by themselves. */
  byServer = false;
  /** The server has refused or ended it: only `subscribe()` tries again. */
  refused = false;
  /** The question who is there is under way. */
  looking = false;
  /** A join is under way on a channel that it is in. */
  rejoins = false;
  /** It was joined on a connection that is over: publications may have been missed. */
  missed = false;
  /** The server has told a loss while it was joined again: the application is told behind the ack. */
  lost = false;
  /** Of the last publication that was handed out, on a channel with history. */
  position: ChannelPosition | undefined;
  /** The connection by which it is joined: what comes by another one is not for it. */
  joinedBy: unknown;
  /** The connection that was last asked, or that has joined it by itself. */
  askedBy: unknown;
  /** It was asked for once more, because another connection had brought it further. */
  asksAgain = false;
  /** Retryable refusals in a row. */
  refusals = 0;
  retryTimer: unknown;

  constructor(
    readonly name: string,
    listenerFailed: (cause: unknown) => void,
  ) {
    this.listeners = new Listeners(listenerFailed);
  }

  /** A call waits for it. */
  get isAwaited(): boolean {
    return this.joins.length + this.looks.length > 0;
  }

  get isWanted(): boolean {
    if (this.isAwaited) return true;
    if (this.refused || (this.byServer && this.phase === 'in')) return false;
    return this.held || (this.joinsByItself && this.isHeard);
  }

  /** Nothing would be lost with it. */
  get isIdle(): boolean {
    const isUsed = this.isWanted || this.iterators.size > 0 || !this.listeners.isEmpty;
    return this.phase === 'out' && !isUsed;
  }

  /** What comes next is not a continuation of what was there. */
  forget(): void {
    this.position = undefined;
    this.missed = this.lost = this.rejoins = false;
  }

  rejectCalls(error: ChannelsClientError): void {
    for (const call of [...this.joins.splice(0), ...this.looks.splice(0)]) call.reject(error);
  }

  endLoops(error?: ChannelsClientError): void {
    for (const iterator of this.iterators) iterator.end(error);
  }

  /** Somebody takes its publications. */
  get isHeard(): boolean {
    return this.iterators.size > 0 || this.listeners.wantsPublications;
  }
}

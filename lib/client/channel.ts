import type { PublicationFrame } from '../protocol/index.js';
import type { Joined, PublicationData, PublicationName } from './api.js';
import type { ChannelGap, SubscribedEvent, UnsubscribedEvent } from './channel-events.js';
import type { ChannelTable } from './channel-table.js';
import type { ChannelsClientError } from './client-error.js';

/**
 * A publication, as it came.
 *
 * @publicApi
 */
export type Publication<Of = unknown> = {
  [Name in PublicationName<Of>]: Omit<PublicationFrame, 'event' | 'data'> & {
    readonly event: Name;
    readonly data: PublicationData<Of, Name>;
  };
}[PublicationName<Of>];

/**
 * One who is in a channel with `presence`.
 *
 * @publicApi
 */
export interface PresenceMember {
  /** Who it is, as the server names them; empty for everybody anonymous. */
  readonly principal: string;
  /** Their connections. 0 for one who was lost and may come back. */
  readonly connections: number;
}

/**
 * Who is in a channel.
 *
 * @publicApi
 */
export interface ChannelPresence {
  readonly members: readonly PresenceMember[];
  /** How many there are. */
  readonly count: number;
  /** There are more than the server lists. */
  readonly more: boolean;
}

/**
 * What a channel tells about itself.
 *
 * @publicApi
 */
export interface ChannelEvents<Of> {
  /** Joined, for the first time or again. */
  $subscribed: SubscribedEvent<Joined<Of>>;
  /** The server has ended the subscription. The client joins again only when `subscribe()` is called. */
  $unsubscribed: UnsubscribedEvent;
  /** Publications may have been missed. After a reconnect it comes right before `$subscribed`. */
  $gap: ChannelGap;
  /**
   * So many publications were not sent, because this client reads slower than they come (`overflow` of the channel).
   * Comes right before the next one, which has the number as `dropped`.
   */
  $dropped: number;
  /** Somebody else has come into a channel with `presence`. */
  $join: PresenceMember;
  /** Somebody is not in the channel any more. */
  $leave: PresenceMember;
  /** The server has refused the channel, and will again: `subscribe()` tries once more. */
  $error: ChannelsClientError;
}

/**
 * How a client joins a channel.
 *
 * @publicApi
 */
export interface ChannelOptions<Params = unknown> {
  /** Handed to the `@SubscribeChannel` method as its message body, at every join. */
  readonly params?: Params;
  /**
   * `false` for a channel that the server joins (`ChannelsService.subscribe`): listeners do not join it.
   *
   * @default true
   */
  readonly subscribe?: boolean;
}

/**
 * A handle on one channel, made by `ChannelsClient.channel`. Costs nothing by itself; all handles of a
 * name share one subscription, which is there while somebody listens, and after `subscribe()`.
 *
 * @publicApi
 */
export class Channel<Of = unknown> implements AsyncIterable<Publication<Of>> {
  /** @internal */
  constructor(
    readonly name: string,
    private readonly table: ChannelTable,
    private readonly options: ChannelOptions,
  ) {}

  /**
   * Listens to the publications of one name. The first listener joins the channel, and the last one to go
   * leaves it. Events that begin with `$` are about the channel itself and join nothing.
   *
   * @returns a function that ends it, and may be called twice
   */
  on<Name extends PublicationName<Of> | keyof ChannelEvents<Of>>(
    event: Name,
    listener: (
      ...told: Name extends keyof ChannelEvents<Of>
        ? [told: ChannelEvents<Of>[Name]]
        : [data: PublicationData<Of, Name>, publication: Publication<Of>]
    ) => void,
  ): () => void {
    this.#configure();
    // Which arguments it takes hangs on the event, as the signature says.
    return this.table.on(this.name, event, listener as (...told: never[]) => void);
  }

  /**
   * Joins, and stays without a listener. On a channel that is joined it runs the `@SubscribeChannel` method
   * again: the way to reload its state. Waits while the client is offline.
   *
   * @returns what the method returned
   * @throws ChannelsClientError with the code of the refusal, `not_subscribed` when `unsubscribe()` came
   * first, or `closed`
   */
  subscribe(): Promise<Joined<Of>> {
    this.#configure();
    return this.table.subscribe(this.name) as Promise<Joined<Of>>;
  }

  /**
   * Who is in a channel with `presence`, oneself among them. What `$join` and `$leave` have told before is included.
   * Waits while the client is offline, and joins for as long where nobody has.
   *
   * @throws ChannelsClientError `bad_request` where the channel does not tell, or as `subscribe()` does
   */
  presence(): Promise<ChannelPresence> {
    this.#configure();
    return this.table.presence(this.name) as Promise<ChannelPresence>;
  }

  /** Leaves. Its listeners are forgotten, its loops end. */
  unsubscribe(): void {
    this.table.unsubscribe(this.name);
  }

  /**
   * The publications from now on. A loop that lags more than `maxBuffered` behind ends with `queue_full`;
   * one that the server or the end of the client cuts short ends with the error. Leaving the loop leaves the
   * channel where nobody else listens.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Publication<Of>> {
    this.#configure();
    return this.table.iterate(this.name) as unknown as AsyncIterableIterator<Publication<Of>>;
  }

  #configure(): void {
    const { params, subscribe } = this.options;
    const record = this.table.use(this.name);
    if (params !== undefined) record.params = params;
    if (subscribe !== false) record.joinsByItself = true;
  }
}

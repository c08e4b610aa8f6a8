import type { Broker, HistoryPage, HistoryRule, Position, Publication } from './broker.interface.js';
import { behind, startBehind, type Missed } from './missed.js';

/** What {@link ChannelStream} hands on. */
export interface StreamSink {
  /** The next publication. */
  next(publication: Publication): void;
  /** Publications were lost and cannot be had; the stream goes on behind this position. */
  gap(position: Position): void;
  failed(error: unknown): void;
}

/** What is read at once of what the broker has skipped: a long history must not stop a node, nor fill its memory. */
const PAGE_BYTES = 262_144;

/**
 * A channel with history as this node follows it: every publication once, in order. Where the broker has
 * skipped some, they are read from the history, or a gap is told.
 */
export class ChannelStream {
  #position?: Position;
  /** The broker is asked for something: what comes meanwhile waits. */
  #asking = false;
  /** One look at a time: a broker that does not answer must not be asked again and again. */
  #checking = false;
  #waiting: Publication[] = [];

  constructor(
    readonly channel: string,
    readonly rule: HistoryRule,
    private readonly broker: Broker,
    private readonly sink: StreamSink,
  ) {}

  /** Where the subscribers of this node stand. Known from {@link open} on. */
  get position(): Position | undefined {
    return this.#position;
  }

  /** The node has subscribed: from here on nothing may be missed. */
  async open(): Promise<void> {
    this.#asking = true;
    try {
      this.#position = await this.broker.position(this.channel, this.rule);
    } finally {
      this.#asking = false;
    }
    this.#receiveWaiting();
  }

  /** The broker has handed over a publication. */
  receive(publication: Publication): void {
    if (this.#asking) {
      this.#wait(publication);
      return;
    }
    const { position } = publication;
    const last = this.#position;
    if (!last || !position) return;
    if (position.epoch !== last.epoch || position.offset > last.offset + 1) void this.#refill(publication);
    else if (position.offset === last.offset + 1) this.#forward(publication);
  }

  /**
   * Asks the broker where the channel stands: the loss of the last publication shows in nothing else.
   *
   * @returns whether there was an answer, or none is needed
   */
  async check(): Promise<boolean> {
    if (!this.#position || this.#asking || this.#checking) return true;
    this.#checking = true;
    try {
      const { epoch, offset } = await this.broker.position(this.channel, this.rule);
      const now = this.#position;
      // What came while the broker was asked has shown what there was to see.
      if (this.#asking || (epoch === now.epoch && offset <= now.offset)) return true;
    } catch (error) {
      this.sink.failed(error);
      return false;
    } finally {
      this.#checking = false;
    }
    return this.#refill();
  }

  /** All that was published since; `undefined` where the history cannot say. */
  async readSince(since: Position): Promise<Missed | undefined> {
    return behind(since, await this.#readAll(since));
  }

  /** All that was published since a position that this node has known; what cannot be had is a gap. */
  async readOn(since: Position): Promise<Missed> {
    const page = await this.#readAll(since);
    return behind(since, page) ?? { from: page.position, publications: [], isGap: true };
  }

  #readAll(since: Position): Promise<HistoryPage> | HistoryPage {
    return this.#read(since, Number.POSITIVE_INFINITY);
  }

  #read({ offset }: Position, maxBytes: number): Promise<HistoryPage> | HistoryPage {
    return this.broker.history(this.channel, this.rule, { after: offset, limit: this.rule.size, maxBytes });
  }

  #forward(publication: Publication): void {
    this.#position = publication.position;
    this.sink.next(publication);
  }

  #wait(publication: Publication): void {
    this.#waiting.push(publication);
    // The history has as many, and is asked again where these do not follow.
    if (this.#waiting.length > this.rule.size) this.#waiting.shift();
  }

  async #refill(publication?: Publication): Promise<boolean> {
    let isRead = true;
    this.#asking = true;
    try {
      await this.#catchUp();
      // The history was read after it came: of another epoch it is a late one, and would be read for without end.
      if (publication && publication.position?.epoch === this.#position?.epoch)
        this.#waiting.unshift(publication);
    } catch (error) {
      // The next publication, or the next check, finds the same hole again.
      this.#waiting = [];
      isRead = false;
      this.sink.failed(error);
    } finally {
      this.#asking = false;
    }
    this.#receiveWaiting();
    return isRead;
  }

  /** Hands on what was skipped, a page after the other. */
  async #catchUp(): Promise<void> {
    for (let isBehind = true; isBehind;) {
      const since = this.#position as Position;
      // Each page starts where the one before it has ended.
      // oxlint-disable-next-line no-await-in-loop
      const page = await this.#read(since, PAGE_BYTES);
      const missed = startBehind(since, page);
      if (missed) for (const publication of missed.publications) this.#forward(publication);
      else this.#skip(page.position);
      isBehind = (this.#position as Position).offset < page.position.offset;
    }
  }

  #skip(position: Position): void {
    this.#position = position;
    this.sink.gap(position);
  }

  #receiveWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const publication of waiting) this.receive(publication);
  }
}

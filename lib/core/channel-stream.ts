import type { HistoryPage, HistoryRule, Position, Publication } from './broker.interface.js';
import { behind, startBehind, type Missed } from './missed.js';
import type { Histories } from './paced-histories.js';
import { SharedReads } from './shared-reads.js';

/** What {@link ChannelStream} hands on. */
export interface StreamSink {
  /** The next publication. */
  next(publication: Publication): void;
  /** Publications were lost and cannot be had; the stream goes on behind this position. */
  gap(position: Position): void;
  /** A publication has come without a position: it is in no history, and nobody knows where it belongs. */
  unplaced(): void;
  /** Something could not be read: there may be a hole, which a later check has to look for. */
  failed(error: unknown): void;
  /** A check was asked for while the broker was asked already, whose answer may be older: now it can be made. */
  checkDue(): void;
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
  /** Asked for while the broker was asked: something may have been lost behind its answer. */
  #isCheckDue = false;
  #waiting: Publication[] = [];
  /** By offset. When a node has died, many come back at once who have seen the same. */
  readonly #reads = new SharedReads((after: number) => this.#read(after, Number.POSITIVE_INFINITY));

  constructor(
    readonly channel: string,
    readonly rule: HistoryRule,
    private readonly histories: Histories,
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
      this.#position = await this.histories.position(this.channel, this.rule);
    } finally {
      this.#asking = false;
    }
    this.#receiveWaiting();
    this.#checkBehind();
  }

  /** The broker has handed over a publication. */
  receive(publication: Publication): void {
    const { position } = publication;
    if (!position) {
      this.sink.unplaced();
      return;
    }
    if (this.#asking) {
      this.#wait(publication);
      return;
    }
    const last = this.#position;
    if (!last) return;
    if (position.epoch !== last.epoch || position.offset > last.offset + 1) void this.#refill(publication);
    else if (position.offset === last.offset + 1) this.#forward(publication);
  }

  /** Asks the broker where the channel stands: the loss of the last publication shows in nothing else. */
  async check(): Promise<void> {
    if (this.#isBusy) {
      this.#isCheckDue = true;
      return;
    }
    if (!this.#position) return;
    this.#checking = true;
    let isBehind = false;
    try {
      isBehind = this.#isBefore(await this.histories.position(this.channel, this.rule));
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#checking = false;
    }
    if (isBehind) await this.#refill();
    else this.#checkBehind();
  }

  /** All that was published since; `undefined` where the history cannot say. */
  async readSince(since: Position): Promise<Missed | undefined> {
    return behind(since, await this.#reads.read(since.offset));
  }

  /** All that was published since a position that this node has known; what cannot be had is a gap. */
  async readOn(since: Position): Promise<Missed> {
    const page = await this.#reads.read(since.offset);
    return behind(since, page) ?? { from: page.position, publications: [], isGap: true };
  }

  get #isBusy(): boolean {
    return this.#asking || this.#checking;
  }

  #isBefore({ epoch, offset }: Position): boolean {
    // What came while the broker was asked has shown what there was to see.
    if (this.#asking) return false;
    const now = this.#position as Position;
    return epoch !== now.epoch || offset > now.offset;
  }

  #read(after: number, maxBytes: number): Promise<HistoryPage> | HistoryPage {
    return this.histories.history(this.channel, this.rule, { after, limit: this.rule.size, maxBytes });
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

  async #refill(publication?: Publication): Promise<void> {
    this.#asking = true;
    try {
      await this.#catchUp();
      // The history was read after it came: of another epoch it is a late one, and would be read for without end.
      if (publication && publication.position?.epoch === this.#position?.epoch)
        this.#waiting.unshift(publication);
    } catch (error) {
      // The next publication, or the next check, finds the same hole again.
      this.#waiting = [];
      this.#fail(error);
    } finally {
      this.#asking = false;
    }
    this.#receiveWaiting();
    this.#checkBehind();
  }

  /** Hands on what was skipped, a page after the other. */
  async #catchUp(): Promise<void> {
    for (let isBehind = true; isBehind;) {
      const since = this.#position as Position;
      // Each page starts where the one before it has ended.
      // oxlint-disable-next-line no-await-in-loop
      const page = await this.#read(since.offset, PAGE_BYTES);
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

  #checkBehind(): void {
    if (!this.#isCheckDue || this.#isBusy) return;
    this.#isCheckDue = false;
    this.sink.checkDue();
  }

  #fail(error: unknown): void {
    // Asked at once, a broker that has just failed would be asked again and again.
    this.#isCheckDue = false;
    this.sink.failed(error);
  }
}

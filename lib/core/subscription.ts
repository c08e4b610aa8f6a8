import { CLOSE_CODES, type ErrorCode, type MessageId } from '../protocol/index.js';
import type { Reader } from './backlog.js';
import type { Position, Publication } from './broker.interface.js';
import { CHANNEL_DEFAULTS, type Overflow } from './channel-definition.js';
import { callSubscribe, callUnsubscribe, type LeaveReason } from './channel-methods.js';
import type { ChannelStream } from './channel-stream.js';
import type { Connection } from './connection.js';
import type { EncodedFrame } from './encoded-frame.js';
import type { ChannelRoute } from './endpoint.js';
import { ChannelsError } from './errors.js';
import { Message } from './handler.interface.js';
import { HeldJoin } from './held-join.js';
import { HeldPublications, type Held } from './held-publications.js';
import { isSame, nothing, type Missed } from './missed.js';
import type { JoinOutcome } from './observer.interface.js';
import { askAgain, askAgainMs } from './reconsidered.js';
import { dropCommand, type Command, type SubscribeCommand } from './subscription-command.js';

/** Shared by all that have nothing to do. */
const NO_COMMANDS: Command[] = [];

/** One connection in one channel. Its commands run one after the other, in the order in which they came. */
export class Subscription implements Reader {
  readonly overflow: Overflow;

  /** Set from the moment that publications may come until those before them have been sent. */
  held?: HeldPublications;

  /** The last publication that the peer was sent, in a channel with history. */
  #last?: Position;

  #joined?: HeldJoin;
  #commands = NO_COMMANDS;
  #running = false;
  #ended = false;

  constructor(
    readonly connection: Connection,
    readonly channel: string,
    readonly route: ChannelRoute | undefined,
  ) {
    this.overflow = connection.engine.catalog.overflowOf(channel);
  }

  get isJoined(): boolean {
    return this.#joined !== undefined;
  }

  /** Its end is next: nothing of the channel is to be sent any more. */
  get isLeaving(): boolean {
    return this.#commands.some(({ type }) => type === 'unsubscribe' || type === 'leave');
  }

  get joinBufferBytes(): number {
    return (this.route?.definition.options ?? CHANNEL_DEFAULTS).joinBufferBytes;
  }

  /** Whether it counts against `maxChannelsPerConnection`: the connection is in, or may get in. */
  get counts(): boolean {
    if (this.isJoined || this.held) return true;
    return this.#commands.some(({ type }) => type === 'subscribe' || type === 'join');
  }

  add(command: Command): void {
    if (this.#commands === NO_COMMANDS) this.#commands = [];
    this.#commands.push(command);
    if (!this.#running) void this.#run();
  }

  /**
   * The join that holds was let in by code that may decide otherwise now. One that waits for it sees the newest; a
   * first one that is under way was let in, perhaps, by what holds no more. `false` where nobody is to be asked.
   */
  reconsider(): boolean {
    if (!this.#running && this.#joined?.asked === undefined) return false;
    if (!this.#commands.some(({ type }) => type === 'reconsider')) this.add({ type: 'reconsider' });
    return true;
  }

  /** A publication of a channel with history. */
  take(frame: EncodedFrame, position: Position): void {
    if (this.held) this.held.add(frame, position);
    else if (this.#isNext(position)) this.connection.outbox.publish(frame, this);
  }

  /** This node has lost publications of a channel with history. */
  skip(position: Position): void {
    if (this.held) this.held.break();
    else this.#tellGap(position);
  }

  /** This node may have lost publications that no history has. */
  lose(): void {
    if (this.held) this.held.lose();
    else if (!this.#isOver) this.tellLoss();
  }

  /** Something was lost that cannot be had; what has a position goes on behind the last one that was sent. */
  tellLoss(): void {
    this.sendGap();
    this.connection.engine.observers.gap(this.connection, this.channel);
  }

  /** By itself for what no publication was: changes of presence, of which the list has all. */
  sendGap(): void {
    this.connection.outbox.settle(this);
    this.connection.sendEvent('$gap', { channel: this.channel, ...this.#last });
  }

  /** The connection has ended. A method that still runs counts as joined and left when it resolves. */
  end(code: number): void {
    this.#ended = true;
    this.connection.engine.hub.leave(this);
    this.connection.engine.presence.ended(this, code);
    for (const command of this.#commands) dropCommand(command);
    this.#commands = NO_COMMANDS;
    void this.#undo('closed');
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (let command = this.#commands.shift(); command; command = this.#commands.shift()) {
      // One after the other is the point of this loop.
      // oxlint-disable-next-line no-await-in-loop
      await this.#execute(command);
      if (command.type === 'subscribe' || command.type === 'unsubscribe') this.#table.commandDone();
    }
    this.#running = false;
    // Most connections are idle, and an array that has been used keeps its room.
    this.#commands = NO_COMMANDS;
    if (!this.#joined && !this.#ended) this.#table.remove(this);
  }

  #execute(command: Command): Promise<void> | void {
    switch (command.type) {
      case 'subscribe':
        return this.#subscribe(command);
      case 'reconsider':
        return this.#reconsider();
      case 'unsubscribe':
        return this.#unsubscribe(command.id);
      case 'join':
        return this.#join(command.message).then(command.resolve, command.reject);
      case 'leave':
        return this.#leave(command.code, command.reason).then(command.resolve, command.reject);
    }
  }

  async #subscribe({ message, method, since, asked }: SubscribeCommand): Promise<void> {
    const { connection, route } = this;
    let missed: (Missed & { readonly recovered: boolean }) | undefined;
    let kept = asked;
    // Nobody waits for it any more: what has not begun must not begin.
    if (!connection.writable) return;
    try {
      await this.#enter();
      if (!connection.writable) {
        // Its end would not find it: nothing is joined, so nothing of it is kept.
        this.#exit();
        return;
      }
      // Before the method runs: what it returns is a state that includes everything up to here.
      const before = this.#stream?.position;
      const data = await callSubscribe(message, method, route);
      if (this.#ended) return await callUnsubscribe(message, route, 'closed');
      this.#table.release(this.#joined?.asked);
      kept = undefined;
      await this.#replace(message, asked);
      missed = before && (await this.#missed(before, since));
      if (this.#ended) return;
      const recovered = since && (missed?.recovered ?? false);
      connection.sendAck(message.id as MessageId, {
        channel: this.channel,
        ...missed?.from,
        recovered,
        data,
      });
    } catch (error) {
      this.#exit();
      this.#table.release(kept);
      if (!this.#ended) connection.engine.dispatcher.fail(message, error);
      await this.#undo('refused');
      return;
    }
    if (missed?.isGap) this.#tellGap(missed.from);
    else this.#last = missed?.from;
    this.#entered(since && (missed?.recovered ? 'recovered' : 'gap'));
    if (missed) await this.#replay(missed.publications);
    else this.#release();
  }

  async #unsubscribe(id: MessageId): Promise<void> {
    const { connection } = this;
    if (!this.#joined) {
      connection.sendError(id, {
        code: 'not_subscribed',
        message: `this connection is not in ${JSON.stringify(this.channel)}`,
        retryable: false,
      });
      return;
    }
    this.#exit();
    await this.#undo('unsubscribed');
    connection.sendAck(id, { channel: this.channel });
  }

  async #join(message: Message): Promise<void> {
    if (this.#joined) return;
    try {
      await this.#enter();
      if (!this.connection.writable) throw new ChannelsError('unavailable', 'the connection has closed');
    } catch (error) {
      this.#exit();
      throw error;
    }
    this.#joined = new HeldJoin(this, message);
    this.#last = this.#stream?.position;
    this.connection.sendEvent('$subscribed', { channel: this.channel, ...this.#last });
    this.#entered();
    // What came until now is within the position that was told.
    if (this.#last) this.held = undefined;
    else this.#release();
  }

  /** Runs what let the connection in, while publications go on. Who passes has joined anew, as by `$subscribe`. */
  async #reconsider(): Promise<void> {
    const { connection, route } = this;
    const joined = this.#joined;
    const asked = joined?.asked;
    if (asked === undefined || !route?.subscribe || !connection.writable) return;
    const { message, refusal } = await askAgain(this, route, asked);
    if (this.#ended) {
      if (!refusal) await callUnsubscribe(message, route, 'closed');
    } else if (!refusal) await this.#replace(message, asked);
    // A limit is no judgement, and the peer has not asked: it may go on, but not for good.
    else if (refusal.code === 'rate_limited' && joined?.isUndecided === false) {
      joined.isUndecided = true;
      connection.clock.setTimeout(() => this.#joined === joined && this.reconsider(), askAgainMs(refusal));
    }
    // Nobody has decided. It must not stay, and a client that comes back asks again by itself.
    else if (refusal.retryable)
      connection.close(CLOSE_CODES.TryAgainLater.code, CLOSE_CODES.TryAgainLater.reason);
    else await this.#leave(refusal.code, refusal.message, 'refused');
  }

  async #leave(code?: ErrorCode, reason?: string, why: LeaveReason = 'removed'): Promise<void> {
    if (!this.#joined) return;
    // First the word to the peer: it throws where the application gave something that has no JSON.
    this.connection.outbox.settle(this);
    this.connection.sendEvent('$unsubscribed', { channel: this.channel, code, reason });
    this.#exit();
    await this.#undo(why);
  }

  /** From here on publications are kept, so that none falls between the method and its ack. */
  #enter(): Promise<void> | void {
    this.#last = undefined;
    const { catalog, hub, presence } = this.connection.engine;
    // What follows the ack must not meet what came before it.
    this.connection.outbox.settle(this);
    // What a history has is read from it afterwards.
    this.#hold(catalog.historyOf(this.channel) ? 0 : this.joinBufferBytes);
    presence.entering(this);
    return hub.join(this);
  }

  #entered(outcome: JoinOutcome = 'new'): void {
    const { presence, observers } = this.connection.engine;
    presence.entered(this);
    observers.joined(this.connection, this.channel, outcome);
  }

  #exit(): void {
    this.held = undefined;
    this.#last = undefined;
    this.connection.outbox.discard(this);
    this.connection.engine.hub.leave(this);
    this.connection.engine.presence.exited(this);
  }

  /** Sends what was kept, unless a leave is already waiting: then nothing may come in between. */
  #release(): void {
    const { held } = this;
    if (!held || this.isLeaving) return;
    this.held = undefined;
    if (held.isBroken) this.tellLoss();
    for (const { frame } of held.publications) this.connection.outbox.publish(frame, this);
  }

  /** What the peer has not got of a channel with history; from here on what comes live is held behind it. */
  async #missed(before: Position, since: Position | undefined): Promise<Missed & { recovered: boolean }> {
    this.#hold();
    const stream = this.#stream as ChannelStream;
    const now = stream.position as Position;
    if (since) {
      const missed = isSame(since, now) ? nothing(since) : await stream.readSince(since);
      if (missed) return { ...missed, recovered: true };
    }
    const missed = isSame(before, now) ? nothing(before) : await stream.readOn(before);
    return { ...missed, recovered: false };
  }

  /** Sends what the peer has missed, as fast as it reads, and lets it follow the channel from there on. */
  async #replay(publications: readonly Publication[]): Promise<void> {
    const { hub } = this.connection.engine;
    // One after the other is the point of this loop.
    // oxlint-disable-next-line no-await-in-loop
    for (let next: readonly Held[] = hub.hold(publications); await this.#send(next);) {
      const held = this.held as HeldPublications;
      if (held.isBroken) {
        // It was too long: the history has what came meanwhile.
        // oxlint-disable-next-line no-await-in-loop
        next = hub.hold((await this.#readOn()).publications);
      } else if (held.publications.length > 0) {
        next = held.publications;
        this.#hold();
      } else {
        this.held = undefined;
        if (held.hasLost) this.tellLoss();
        return;
      }
    }
  }

  async #readOn(): Promise<Missed> {
    this.#hold();
    const stream = this.#stream as ChannelStream;
    try {
      const missed = await stream.readOn(this.#last as Position);
      if (missed.isGap) this.#tellGap(missed.from);
      return missed;
    } catch (error) {
      this.connection.engine.observers.failed({ where: `the history of ${this.channel}`, error });
      this.#tellGap(stream.position as Position);
      return nothing(stream.position as Position);
    }
  }

  /** Whether all of them were sent. The end of the connection, a leave and another join come in between. */
  async #send(publications: readonly Held[]): Promise<boolean> {
    const { outbox } = this.connection;
    for (const { frame, position } of publications) {
      // A long replay must neither fill the outbox nor keep others from theirs.
      // oxlint-disable-next-line no-await-in-loop
      if (!outbox.hasRoomFor(frame)) await outbox.roomFor(frame);
      if (this.#isOver) return false;
      if (this.#isNext(position as Position)) outbox.push(frame);
    }
    return !this.#isOver;
  }

  /** Whether it is to be sent: of the epoch that was told, and behind the last one. */
  #isNext(position: Position): boolean {
    const last = this.#last;
    if (!last || position.epoch !== last.epoch || position.offset <= last.offset) return false;
    this.#last = position;
    return true;
  }

  #tellGap(position: Position): void {
    if (this.#isOver) return;
    // A peer that has resumed may be ahead of what this node follows.
    if (this.#last?.epoch === position.epoch && position.offset <= this.#last.offset) return;
    this.#last = position;
    this.tellLoss();
  }

  #hold(maxBytes = this.joinBufferBytes): void {
    this.held = new HeldPublications(maxBytes, this.held?.hasLost);
  }

  get #stream(): ChannelStream | undefined {
    return this.connection.engine.hub.streamOf(this.channel);
  }

  /** Nothing of the join that holds is to be sent any more: its end, or another one in its place, is next. */
  get #isOver(): boolean {
    return this.#ended || this.#commands.some(({ type }) => type !== 'join' && type !== 'reconsider');
  }

  /** A second join takes the place of the first, which has thereby ended. */
  #replace(message: Message, asked: string | undefined): Promise<void> | void {
    const previous = this.#joined;
    this.#joined = new HeldJoin(this, message, asked);
    return previous?.end('replaced');
  }

  /** Ends the join that holds, if there is one. */
  #undo(reason: LeaveReason): Promise<void> | void {
    const joined = this.#joined;
    this.#joined = undefined;
    this.#table.release(joined?.asked);
    return joined?.end(reason);
  }

  get #table(): Connection['subscriptions'] {
    return this.connection.subscriptions;
  }
}

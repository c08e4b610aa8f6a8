import type { ErrorCode, MessageId } from '../protocol/index.js';
import { CHANNEL_DEFAULTS } from './channel-definition.js';
import { callSubscribe, callUnsubscribe, type LeaveReason } from './channel-methods.js';
import type { Connection } from './connection.js';
import type { ChannelRoute } from './endpoint.js';
import { ChannelsError } from './errors.js';
import type { Handler, Message } from './handler.interface.js';
import { HeldPublications } from './held-publications.js';

type Command =
  | { readonly type: 'subscribe'; readonly message: Message; readonly method: Handler }
  | { readonly type: 'unsubscribe'; readonly id: MessageId }
  | {
      readonly type: 'join';
      readonly message: Message;
      readonly resolve: () => void;
      readonly reject: (error: unknown) => void;
    }
  | {
      readonly type: 'leave';
      readonly code?: ErrorCode;
      readonly reason?: string;
      readonly resolve: () => void;
      readonly reject: (error: unknown) => void;
    };

/** Shared by all that have nothing to do. */
const NO_COMMANDS: Command[] = [];

const NO_PARAMS: Message['params'] = {};

/** One connection in one channel. Its commands run one after the other, in the order in which they came. */
export class Subscription {
  /** Set from the moment that publications may come until the ack has been sent. */
  held?: HeldPublications;

  /**
   * The join that holds, to be undone exactly once: the parameters of the name, where its end is told to
   * anybody. Nothing else that the peer has sent is kept.
   */
  #joined?: Message['params'];
  #commands = NO_COMMANDS;
  #running = false;
  #ended = false;

  constructor(
    readonly connection: Connection,
    readonly channel: string,
    private readonly route: ChannelRoute | undefined,
  ) {}

  get isJoined(): boolean {
    return this.#joined !== undefined;
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

  /** The connection has ended. A method that still runs counts as joined and left when it resolves. */
  end(): void {
    this.#ended = true;
    this.connection.engine.hub.leave(this);
    for (const command of this.#commands) this.#drop(command);
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
        return this.#subscribe(command.message, command.method);
      case 'unsubscribe':
        return this.#unsubscribe(command.id);
      case 'join':
        return this.#join(command.message).then(command.resolve, command.reject);
      case 'leave':
        return this.#leave(command.code, command.reason).then(command.resolve, command.reject);
    }
  }

  async #subscribe(message: Message, method: Handler): Promise<void> {
    const { connection, route } = this;
    // Nobody waits for it any more: what has not begun must not begin.
    if (!connection.writable) return;
    try {
      await this.#enter();
      if (!connection.writable) return;
      const data = await callSubscribe(message, method, route);
      if (this.#ended) return await callUnsubscribe(message, route, 'closed');
      await this.#replace(message);
      if (this.#ended) return;
      connection.sendAck(message.id as MessageId, { channel: this.channel, data });
      this.#release();
    } catch (error) {
      this.#exit();
      if (!this.#ended) connection.engine.dispatcher.fail(message, error);
      await this.#undo('refused');
    }
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
    this.#joined = this.#paramsOf(message);
    this.connection.sendEvent('$subscribed', { channel: this.channel });
    this.#release();
  }

  async #leave(code?: ErrorCode, reason?: string): Promise<void> {
    if (!this.#joined) return;
    // First the word to the peer: it throws where the application gave something that has no JSON.
    this.connection.sendEvent('$unsubscribed', { channel: this.channel, code, reason });
    this.#exit();
    await this.#undo('removed');
  }

  /** From here on publications are kept, so that none falls between the method and its ack. */
  #enter(): Promise<void> | void {
    const { joinBufferBytes } = this.route?.definition.options ?? CHANNEL_DEFAULTS;
    this.held = new HeldPublications(joinBufferBytes);
    return this.connection.engine.hub.join(this);
  }

  #exit(): void {
    this.held = undefined;
    this.connection.engine.hub.leave(this);
  }

  /** Sends what was kept, unless a leave is already waiting: then nothing may come in between. */
  #release(): void {
    const { held, connection } = this;
    if (!held || this.#commands.some((next) => next.type === 'unsubscribe' || next.type === 'leave')) return;
    this.held = undefined;
    if (held.overflowed) {
      connection.sendEvent('$gap', { channel: this.channel });
      connection.engine.observers.gap(connection, this.channel);
    }
    for (const frame of held.frames) connection.outbox.push(frame);
  }

  /** A second join takes the place of the first, which has thereby ended. */
  #replace(message: Message): Promise<void> | void {
    const previous = this.#joined;
    this.#joined = this.#paramsOf(message);
    if (previous) return this.#left(previous, 'replaced');
  }

  /** Ends the join that holds, if there is one. */
  #undo(reason: LeaveReason): Promise<void> | void {
    const joined = this.#joined;
    this.#joined = undefined;
    if (joined) return this.#left(joined, reason);
  }

  #paramsOf({ params = NO_PARAMS }: Message): Message['params'] {
    return this.route?.unsubscribe ? params : NO_PARAMS;
  }

  #left(params: Message['params'], reason: LeaveReason): Promise<void> {
    const { connection, channel } = this;
    return callUnsubscribe({ connection, channel, params }, this.route, reason);
  }

  #drop(command: Command): void {
    switch (command.type) {
      case 'join':
        command.reject(new ChannelsError('unavailable', 'the connection has closed'));
        break;
      case 'leave':
        command.resolve();
        break;
      case 'subscribe':
      case 'unsubscribe':
        // Nobody is there any more to be answered.
        break;
    }
  }

  get #table(): Connection['subscriptions'] {
    return this.connection.subscriptions;
  }
}

import type { MessageId } from '../protocol/index.js';
import { CHANNEL_DEFAULTS } from './channel-definition.js';
import type { Connection } from './connection.js';
import type { ChannelRoute } from './endpoint.js';
import { ChannelsError } from './errors.js';
import { Message, type Handler } from './handler.interface.js';
import { HeldPublications } from './held-publications.js';
import { asStream } from './result-stream.js';
import type { LeaveReason } from './subscription-table.js';

type Command =
  | { readonly type: 'subscribe'; readonly message: Message }
  | { readonly type: 'unsubscribe'; readonly id: MessageId }
  | {
      readonly type: 'join';
      readonly message: Message;
      readonly resolve: () => void;
      readonly reject: (error: unknown) => void;
    }
  | {
      readonly type: 'leave';
      readonly code?: string;
      readonly reason?: string;
      readonly resolve: () => void;
    };

/** One connection in one channel. Its commands run one after the other, in the order in which they came. */
export class Subscription {
  /** Set from the moment that publications may come until the ack has been sent. */
  held?: HeldPublications;

  /** The join that holds, to be undone exactly once. */
  #joined?: Message;
  readonly #commands: Command[] = [];
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

  add(command: Command): void {
    this.#commands.push(command);
    if (!this.#running) void this.#run();
  }

  /** The connection has ended. A method that still runs counts as joined and left when it resolves. */
  end(): void {
    this.#ended = true;
    this.connection.engine.hub.leave(this);
    for (const command of this.#commands.splice(0)) this.#drop(command);
    void this.#undo(this.#takeJoined(), 'closed');
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (let command = this.#commands.shift(); command; command = this.#commands.shift()) {
      await this.#execute(command);
      if (command.type === 'subscribe' || command.type === 'unsubscribe') this.#table.commandDone();
    }
    this.#running = false;
    if (!this.#joined && !this.#ended) this.#table.remove(this);
  }

  #execute(command: Command): Promise<void> | void {
    switch (command.type) {
      case 'subscribe':
        return this.#subscribe(command.message);
      case 'unsubscribe':
        return this.#unsubscribe(command.id);
      case 'join':
        return this.#join(command.message).then(command.resolve, command.reject);
      case 'leave':
        return this.#leave(command.code, command.reason).then(command.resolve);
    }
  }

  async #subscribe(message: Message): Promise<void> {
    const { dispatcher } = this.connection.engine;
    try {
      await this.#enter();
      const data = await this.#callSubscribe(message);
      if (this.#ended) return await this.#undo(message, 'closed');
      await this.#replace(message);
      if (this.#ended) return;
      this.connection.sendAck(message.id as MessageId, { channel: this.channel, data });
      this.#release();
    } catch (error) {
      this.#exit();
      if (!this.#ended) dispatcher.fail(message, error);
      await this.#undo(this.#takeJoined(), 'refused');
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
    await this.#undo(this.#takeJoined(), 'unsubscribed');
    connection.sendAck(id, { channel: this.channel });
  }

  async #join(message: Message): Promise<void> {
    if (this.#joined) return;
    try {
      await this.#enter();
    } catch (error) {
      this.#exit();
      throw error;
    }
    if (this.#ended) throw new ChannelsError('unavailable', 'the connection has closed');
    this.#joined = message;
    this.connection.sendEvent('$subscribed', { channel: this.channel });
    this.#release();
  }

  async #leave(code?: string, reason?: string): Promise<void> {
    if (!this.#joined) return;
    this.#exit();
    this.connection.sendEvent('$unsubscribed', { channel: this.channel, code, reason });
    await this.#undo(this.#takeJoined(), 'removed');
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

  async #callSubscribe(message: Message): Promise<unknown> {
    const { deadlines } = this.connection.engine;
    const work = this.#call(this.route?.subscribe as Handler, message);
    try {
      return await deadlines.limit(work, 'the @SubscribeChannel method');
    } catch (error) {
      if (error instanceof ChannelsError && error.code === 'timeout') {
        // It may still succeed: then it has joined somebody who was told otherwise.
        work.then(
          () => this.#undo(message, 'refused'),
          (late: unknown) => this.#report('@SubscribeChannel', late),
        );
      }
      throw error;
    }
  }

  /** A second join takes the place of the first, which has thereby ended. */
  #replace(message: Message): Promise<void> | void {
    const previous = this.#joined;
    this.#joined = message;
    if (previous) return this.#undo(previous, 'replaced');
  }

  #takeJoined(): Message | undefined {
    const joined = this.#joined;
    this.#joined = undefined;
    return joined;
  }

  /** Runs the `@UnsubscribeChannel` method for a join. Never rejects. */
  async #undo(joined: Message | undefined, reason: LeaveReason): Promise<void> {
    const method = this.route?.unsubscribe;
    if (!joined || !method) return;
    const { engine } = this.connection;
    const { channel, params } = joined;
    const message = new Message(this.connection, '$unsubscribe', { reason }, undefined, channel, params);
    try {
      await engine.deadlines.limit(this.#call(method, message), 'the @UnsubscribeChannel method');
    } catch (error) {
      this.#report('@UnsubscribeChannel', error);
    }
  }

  /** Runs a method whose answer has one part. */
  async #call(handler: Handler, message: Message): Promise<unknown> {
    const { engine } = this.connection;
    engine.begin();
    try {
      const result = await handler.handle(message);
      const stream = asStream(result, true);
      return stream ? await stream.last() : result;
    } finally {
      engine.finish();
    }
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

  #report(method: string, error: unknown): void {
    this.connection.engine.observers.failed({ where: `${method} ${this.channel}`, error });
  }

  get #table(): Connection['subscriptions'] {
    return this.connection.subscriptions;
  }
}

import { callUnsubscribe, type LeaveReason } from './channel-methods.js';
import type { Message } from './handler.interface.js';
import type { Subscription } from './subscription.js';

const NO_PARAMS: Message['params'] = {};

/** A join that holds, to be ended exactly once. */
export class HeldJoin {
  /** Those of the name, where its end is told to anybody. Nothing else that the peer has sent is kept. */
  readonly #params: Message['params'];

  /** A limit has kept its method from being asked about it again; that is done once more. */
  isUndecided = false;

  /** @param asked - what the peer has asked with, where it did and that is kept */
  constructor(
    private readonly subscription: Subscription,
    { params = NO_PARAMS }: Message,
    readonly asked?: string,
  ) {
    this.#params = subscription.route?.unsubscribe ? params : NO_PARAMS;
  }

  end(reason: LeaveReason): Promise<void> | void {
    const { connection, channel, route } = this.subscription;
    return callUnsubscribe({ connection, channel, params: this.#params }, route, reason);
  }
}

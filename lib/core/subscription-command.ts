import type { ErrorCode, MessageId } from '../protocol/index.js';
import type { Position } from './broker.interface.js';
import { ChannelsError } from './errors.js';
import type { Handler, Message } from './handler.interface.js';

/** What happens to a subscription, one after the other. */
export type Command =
  | {
      readonly type: 'subscribe';
      readonly message: Message;
      readonly method: Handler;
      /** Where the peer wants to go on. */
      readonly since?: Position;
      /** The JSON of the params, empty without any, where it is kept for `reconsider`. */
      readonly asked?: string;
    }
  | { readonly type: 'reconsider' }
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

export type SubscribeCommand = Extract<Command, { type: 'subscribe' }>;

/** The connection has ended before it began. */
export function dropCommand(command: Command): void {
  switch (command.type) {
    case 'join':
      command.reject(new ChannelsError('unavailable', 'the connection has closed'));
      break;
    case 'leave':
      command.resolve();
      break;
    case 'subscribe':
    case 'unsubscribe':
    case 'reconsider':
      // Nobody is there any more to be answered.
      break;
  }
}

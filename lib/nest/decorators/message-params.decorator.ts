import { createParamDecorator, type ExecutionContext, type PipeTransform, type Type } from '@nestjs/common';
import { Message } from '../../core/handler.interface.js';

/** Holds the engine's message in the arguments of a handler, unseen by whoever counts them. See `MessagePipeline`. */
export const MESSAGE = Symbol('nestjs-channels:message');

function messageOf(context: ExecutionContext): Message {
  const args: object = context.getArgs();
  if (MESSAGE in args && args[MESSAGE] instanceof Message) return args[MESSAGE];
  throw new TypeError('This decorator works in methods that the ChannelsAdapter calls; is it installed?');
}

/**
 * A parameter of the channel's name: `@ChannelParam('room')` is `lobby` for `chat:lobby` and the
 * pattern `chat:{room}`. Without a name, all of them. Pipes may follow. For `@SubscribeChannel` and
 * `@UnsubscribeChannel` methods.
 *
 * @publicApi
 */
export const ChannelParam: (
  ...nameOrPipes: (string | PipeTransform | Type<PipeTransform> | undefined)[]
) => ParameterDecorator = createParamDecorator((name: string | undefined, context: ExecutionContext) => {
  const params = messageOf(context).params ?? {};
  if (name === undefined) return params;
  return Object.hasOwn(params, name) ? params[name] : undefined;
});

/**
 * The name of the channel. For `@SubscribeChannel` and `@UnsubscribeChannel` methods.
 *
 * @publicApi
 */
export const ChannelName = createParamDecorator(
  (_: unknown, context: ExecutionContext) => messageOf(context).channel,
);

/**
 * The `id` that the client gave its message, as it was sent; `undefined` where it waits for no
 * answer. Of two copies of one message both have the same id, so that it can go into the
 * transaction that has the effect. Without that, what rejects behind the effect with a `retryable`
 * error lets the message run again.
 *
 * @publicApi
 */
export const MessageId = createParamDecorator(
  (_: unknown, context: ExecutionContext) => messageOf(context).id,
);

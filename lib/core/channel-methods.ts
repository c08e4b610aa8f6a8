import type { ChannelRoute } from './endpoint.js';
import { ChannelsError } from './errors.js';
import { Message, type Handler } from './handler.interface.js';
import { asStream } from './result-stream.js';

/** Why a join ended; told to the `@UnsubscribeChannel` method. */
export type LeaveReason = 'unsubscribed' | 'replaced' | 'refused' | 'removed' | 'closed';

/** Runs the `@SubscribeChannel` method. Rejects with what it has thrown, or with `timeout`. */
export async function callSubscribe(
  message: Message,
  method: Handler,
  route: ChannelRoute | undefined,
): Promise<unknown> {
  const late = new AbortController();
  const work = call(method, message, late.signal);
  try {
    return await message.connection.engine.deadlines.limit(work, 'the @SubscribeChannel method');
  } catch (error) {
    if (error instanceof ChannelsError && error.code === 'timeout') {
      // It may still succeed: then it has joined somebody who was told otherwise.
      work.then(
        () => callUnsubscribe(message, route, 'refused'),
        (failure: unknown) => failure !== error && report('@SubscribeChannel', message, failure),
      );
      late.abort(error);
    }
    throw error;
  }
}

/** Runs the `@UnsubscribeChannel` method for a join that has ended. Never rejects. */
export async function callUnsubscribe(
  joined: Pick<Message, 'connection' | 'channel' | 'params'>,
  route: ChannelRoute | undefined,
  reason: LeaveReason,
): Promise<void> {
  if (!route?.unsubscribe) return;
  const { connection, channel, params } = joined;
  const message = new Message(connection, '$unsubscribe', { reason }, undefined, channel, params);
  const late = new AbortController();
  const work = call(route.unsubscribe, message, late.signal);
  try {
    await connection.engine.deadlines.limit(work, 'the @UnsubscribeChannel method');
  } catch (error) {
    report('@UnsubscribeChannel', message, error);
    // Behind its timeout it may fail in its own way.
    work.catch((failure: unknown) => failure !== error && report('@UnsubscribeChannel', message, failure));
    late.abort(error);
  }
}

/** Runs a method whose answer has one part. An Observable is left alone when the signal says so. */
async function call(handler: Handler, message: Message, signal: AbortSignal): Promise<unknown> {
  const { engine } = message.connection;
  engine.begin();
  try {
    const result = await handler.handle(message);
    const stream = asStream(result, true);
    return stream ? await stream.last(signal) : result;
  } finally {
    engine.finish();
  }
}

function report(method: string, { connection, channel }: Message, error: unknown): void {
  connection.engine.observers.failed({ where: `${method} ${channel}`, error });
}

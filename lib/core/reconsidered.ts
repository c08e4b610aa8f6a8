import type { WireError } from '../protocol/index.js';
import { callSubscribe } from './channel-methods.js';
import type { ChannelRoute } from './endpoint.js';
import { Message } from './handler.interface.js';
import type { Subscription } from './subscription.js';

/** How long somebody may go on at most about whom nobody could decide, in milliseconds. */
const MAX_UNDECIDED_MS = 60_000;

/** Where nothing says when to ask again. */
const ASK_LATER_MS = 1_000;

/** When the limit that refused has room, in milliseconds. */
export function askAgainMs({ retryAfterMs = ASK_LATER_MS }: WireError): number {
  return Math.min(retryAfterMs, MAX_UNDECIDED_MS);
}

/**
 * Runs the guards and the method of a channel again, with what the peer has asked for it with. No rate of the method
 * counts it: the peer has not asked.
 *
 * @param asked - the JSON of its params; empty without any
 * @returns the message that they ran for, and why it was refused
 */
export async function askAgain(
  { connection, channel }: Subscription,
  route: ChannelRoute,
  asked: string,
): Promise<{ readonly message: Message; readonly refusal?: WireError }> {
  const data: unknown = asked === '' ? undefined : JSON.parse(asked);
  const params = connection.endpoint.channels.match(channel)?.params;
  const message = new Message(connection, '$subscribe', data, undefined, channel, params);
  try {
    const method = route.subscribe?.unlimited ?? route.subscribe;
    if (method) await callSubscribe(message, method, route);
    return { message };
  } catch (error) {
    return { message, refusal: connection.engine.errors.toWireError(error, message) };
  }
}

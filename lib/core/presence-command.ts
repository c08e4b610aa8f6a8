import type { MessageId } from '../protocol/index.js';
import type { Connection } from './connection.js';
import type { Engine } from './engine.js';
import { ChannelsError, toWireError } from './errors.js';

/** How long a peer waits whose last `$presence` of a channel has no answer yet. */
const PRESENCE_RETRY_MS = 1_000;

/** Channels about which a peer has asked and has no answer yet: once at a time each. */
const asking = new WeakMap<Connection, Set<string>>();

/**
 * Answers `$presence` for a channel that the connection is in: whoever may not join may not see who is there.
 *
 * @throws ChannelsError where it can be refused at once
 */
export function answerPresence(engine: Engine, connection: Connection, id: MessageId, channel: string): void {
  if (!connection.subscriptions.has(channel)) {
    throw new ChannelsError('not_subscribed', `this connection is not in ${JSON.stringify(channel)}`);
  }
  if (!engine.catalog.hasPresence(channel)) {
    throw new ChannelsError('bad_request', `${JSON.stringify(channel)} does not tell who is there`);
  }
  const asked = asking.get(connection) ?? new Set();
  if (asked.has(channel)) {
    throw new ChannelsError('rate_limited', 'the last $presence of this channel has no answer yet', {
      retryAfterMs: PRESENCE_RETRY_MS,
    });
  }
  const answer = engine.presence.members(channel);
  if (!(answer instanceof Promise)) {
    connection.sendAnswer(id, { type: 'data', data: answer.json });
    return;
  }
  asking.set(connection, asked.add(channel));
  void answer
    .then(
      ({ json }) => connection.sendAnswer(id, { type: 'data', data: json }),
      (error: unknown) => connection.sendError(id, toWireError(asError(engine, channel, error))),
    )
    .finally(() => asked.delete(channel));
}

function asError(engine: Engine, channel: string, error: unknown): ChannelsError {
  if (error instanceof ChannelsError) return error;
  engine.observers.failed({ where: `the presence of ${channel}`, error });
  return new ChannelsError('internal', 'who is there cannot be read');
}

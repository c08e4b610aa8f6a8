import type { MessageId } from '../protocol/index.js';
import type { HistoryPage, HistoryQuery, HistoryRule, Position, Publication } from './broker.interface.js';
import type { Connection } from './connection.js';
import type { Engine } from './engine.js';
import { ChannelsError, toWireError } from './errors.js';
import { readHistory } from './read-history.js';

/** Bytes of the publications in one answer, with all that is around them, unless the first alone has more. */
const MAX_HISTORY_BYTES = 262_144;

/** How long a peer waits whose last `$history` has no answer yet. */
const HISTORY_RETRY_MS = 1_000;

/** What a peer asks for by `$history`. */
export interface HistoryRequest {
  readonly channel: string;
  readonly limit: number | undefined;
  readonly since: Position | undefined;
  readonly reverse: boolean;
}

/** Peers whose `$history` is being read: one at a time each. */
const reading = new WeakSet<Connection>();

/**
 * Answers `$history` for a channel that the connection is in: whoever may not join may not read.
 *
 * @throws ChannelsError where it can be refused at once
 */
export function answerHistory(
  engine: Engine,
  connection: Connection,
  id: MessageId,
  request: HistoryRequest,
): void {
  const { channel } = request;
  if (!connection.subscriptions.has(channel)) {
    throw new ChannelsError('not_subscribed', `this connection is not in ${JSON.stringify(channel)}`);
  }
  const rule = engine.catalog.historyOf(channel);
  if (!rule) throw new ChannelsError('bad_request', `${JSON.stringify(channel)} has no history`);
  if (reading.has(connection)) {
    throw new ChannelsError('rate_limited', 'the last $history has no answer yet', {
      retryAfterMs: HISTORY_RETRY_MS,
    });
  }
  reading.add(connection);
  void read(engine, rule, request)
    .then(
      (page) => connection.sendAnswer(id, { type: 'data', data: answerOf(page, request) }),
      (error: unknown) => connection.sendError(id, toWireError(asError(engine, channel, error))),
    )
    .finally(() => reading.delete(connection));
}

function read(
  engine: Engine,
  rule: HistoryRule,
  { channel, limit = rule.size, since, reverse }: HistoryRequest,
): Promise<HistoryPage> {
  const query: HistoryQuery = { limit, maxBytes: MAX_HISTORY_BYTES, reverse };
  return readHistory(engine.hub.broker, channel, rule, query, since);
}

function answerOf({ position, oldest, publications }: HistoryPage, { since }: HistoryRequest): string {
  const first = Math.max(oldest, since?.epoch === position.epoch ? since.offset + 1 : 0);
  const available = Math.max(0, position.offset - first + 1);
  const { epoch, offset } = position;
  const items = publications.map(itemOf).join(',');
  const more = publications.length < available;
  return `{"epoch":${JSON.stringify(epoch)},"offset":${offset},"publications":[${items}],"more":${more}}`;
}

/** Its data is JSON already: to read it and to write it again would be most of the work. */
function itemOf({ event, data, position }: Publication): string {
  const json = data === undefined ? '' : `,"data":${data}`;
  const offset = position ? `,"offset":${position.offset}` : '';
  return `{"event":${JSON.stringify(event)}${json}${offset}}`;
}

function asError(engine: Engine, channel: string, error: unknown): ChannelsError {
  if (error instanceof ChannelsError) return error;
  engine.observers.failed({ where: `the history of ${channel}`, error });
  return new ChannelsError('internal', 'the history cannot be read');
}

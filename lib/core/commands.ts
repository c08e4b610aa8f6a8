import {
  CLIENT_ID,
  isChannelName,
  TIMING_INTERVAL_MS,
  type EventFrame,
  type HelloData,
  type MessageId,
  type Welcome,
} from '../protocol/index.js';
import type { Position } from './broker.interface.js';
import type { Connection } from './connection.js';
import type { Engine } from './engine.js';
import { ChannelsError, toWireError } from './errors.js';
import { answerHistory } from './history-command.js';
import { remainingMs } from './identity.js';
import type { FaultKind } from './observer.interface.js';
import { answerPresence } from './presence-command.js';
import { answerRefresh } from './refresh-command.js';

type Command = (engine: Engine, connection: Connection, id: MessageId, data: unknown) => void;

const COMMANDS: ReadonlyMap<string, Command> = new Map([
  ['$hello', hello],
  ['$subscribe', subscribe],
  ['$unsubscribe', unsubscribe],
  ['$history', history],
  ['$presence', presence],
  ['$refresh', refresh],
]);

/** An answer that has taken longer is told as this, in milliseconds: what a day has. */
const MAX_ACK_MS = 86_400_000;

/** Whether a peer speaks our protocol that sends it. */
export function isCommand(event: string): boolean {
  return COMMANDS.has(event) || event === '$ping' || event === '$pong' || event === '$timing';
}

/** Runs a frame whose event begins with `$`. */
export function runCommand(engine: Engine, connection: Connection, frame: EventFrame): void {
  const { event, id, data } = frame;
  if (event === '$pong') return;
  if (event === '$ping') {
    if (id === undefined) connection.sendEvent('$pong');
    else connection.sendAck(id, undefined);
    return;
  }
  try {
    if (event === '$timing') {
      takeTiming(engine, connection, parseTiming(data));
      if (id !== undefined) connection.sendAck(id, undefined);
      return;
    }
    const command = COMMANDS.get(event);
    if (!command) throw new ChannelsError('bad_request', notAvailable(event, engine.options.maxEventLength));
    if (id === undefined) throw new ChannelsError('bad_request', `${event} needs an id`);
    command(engine, connection, id, data);
  } catch (error) {
    if (!(error instanceof ChannelsError)) throw error;
    engine.observers.faulted(connection, faultOf(error));
    if (id === undefined) connection.sendException(error);
    else connection.sendError(id, toWireError(error));
  }
}

/** A peer is not told more than it may say. */
function notAvailable(event: string, maxEventLength: number): string {
  if (event.length > maxEventLength) return `the event is longer than ${maxEventLength} characters`;
  return `${JSON.stringify(event)} is not available`;
}

/** What passes a limit is told apart from what is wrong. */
function faultOf({ code }: ChannelsError): FaultKind {
  return code === 'rate_limited' || code === 'limit_exceeded' ? code : 'bad_request';
}

/** Counts a join, also one that is refused for another reason than its number. Answers it where there are too many. */
function isThrottled(connection: Connection, id: MessageId): boolean {
  const error = connection.throttle?.subscribe();
  if (error) connection.sendError(id, error);
  return error !== undefined;
}

function hello(engine: Engine, connection: Connection, id: MessageId, data: unknown): void {
  const { clientId, heartbeat } = parseHello(data);
  if (connection.greeted) {
    throw new ChannelsError('bad_request', '$hello comes once, before the first message that needs it');
  }
  connection.greeted = true;
  connection.wantsPingFrames = heartbeat === true;
  if (clientId !== undefined) engine.identify(connection, clientId);
  connection.sendAck(id, welcome(engine, connection));
}

function parseHello(data: unknown): HelloData {
  const { clientId, heartbeat } = asObject(data === undefined ? {} : data, '$hello');
  if (clientId !== undefined && !(typeof clientId === 'string' && CLIENT_ID.test(clientId))) {
    throw new ChannelsError('bad_request', 'clientId must be 22 to 64 characters of base64url');
  }
  if (heartbeat !== undefined && typeof heartbeat !== 'boolean') {
    throw new ChannelsError('bad_request', 'heartbeat must be true or false');
  }
  return { clientId, heartbeat };
}

function welcome(engine: Engine, connection: Connection): Welcome {
  const { options } = engine;
  return {
    connectionId: connection.id,
    principal: engine.principalTag(connection.info.principal),
    expiresInMs: remainingMs(connection.info, engine.clock.wallNow()),
    heartbeat: { intervalMs: options.heartbeatIntervalMs, clientTimeoutMs: options.clientTimeoutMs },
    limits: {
      maxMessageBytes: connection.endpoint.maxMessageBytes ?? options.maxMessageBytes,
      maxNesting: options.maxNesting,
      maxEventLength: options.maxEventLength,
      maxChannelsPerConnection: options.maxChannelsPerConnection,
      maxInFlight: options.maxInFlight,
      dedupWindowMs: options.dedupWindowMs,
      ...(engine.observers.measuresClients && { timingIntervalMs: TIMING_INTERVAL_MS }),
    },
  };
}

/** Of each client one within half of the interval: a clock of another may be faster. */
function takeTiming({ clock, observers }: Engine, connection: Connection, ackMs: number): void {
  const now = clock.now();
  if (!connection.greeted || now < connection.timesAfter) return;
  connection.timesAfter = now + TIMING_INTERVAL_MS / 2;
  observers.timed(connection, Math.min(ackMs, MAX_ACK_MS));
}

function parseTiming(data: unknown): number {
  const { ackMs } = asObject(data, '$timing');
  if (typeof ackMs === 'number' && Number.isFinite(ackMs) && ackMs >= 0) return ackMs;
  throw new ChannelsError('bad_request', 'ackMs must be a number of milliseconds');
}

function subscribe(engine: Engine, connection: Connection, id: MessageId, data: unknown): void {
  const { channel, since, params } = asObject(data, '$subscribe');
  if (engine.closing) throw new ChannelsError('unavailable', 'the server shuts down');
  const name = parseChannel(channel);
  // Who has all its channels would come again for nothing.
  connection.subscriptions.checkRoomFor(name);
  if (isThrottled(connection, id)) return;
  connection.subscriptions.subscribe(name, id, params, parsePosition(since));
}

function unsubscribe(_engine: Engine, connection: Connection, id: MessageId, data: unknown): void {
  const { channel } = asObject(data, '$unsubscribe');
  connection.subscriptions.unsubscribe(parseChannel(channel), id);
}

function history(engine: Engine, connection: Connection, id: MessageId, data: unknown): void {
  const { channel, limit, since, reverse } = asObject(data, '$history');
  if (engine.closing) throw new ChannelsError('unavailable', 'the server shuts down');
  if (reverse !== undefined && typeof reverse !== 'boolean') {
    throw new ChannelsError('bad_request', 'reverse must be true or false');
  }
  answerHistory(engine, connection, id, {
    channel: parseChannel(channel),
    limit: parseLimit(limit),
    since: parsePosition(since),
    reverse: reverse ?? false,
  });
}

function presence(engine: Engine, connection: Connection, id: MessageId, data: unknown): void {
  const { channel } = asObject(data, '$presence');
  if (engine.closing) throw new ChannelsError('unavailable', 'the server shuts down');
  answerPresence(engine, connection, id, parseChannel(channel));
}

function refresh(engine: Engine, connection: Connection, id: MessageId, data: unknown): void {
  const { token } = asObject(data, '$refresh');
  if (engine.closing) throw new ChannelsError('unavailable', 'the server shuts down');
  // What may stand in a header. The text must not have it: it may be written to a log.
  if (typeof token !== 'string' || !/^[!-~]+$/.test(token)) {
    throw new ChannelsError('bad_request', 'a token is visible ASCII');
  }
  answerRefresh(engine, connection, id, token);
}

function parseChannel(channel: unknown): string {
  if (isChannelName(channel)) return channel;
  throw new ChannelsError('unknown_channel', 'a channel is 1 to 255 characters of [A-Za-z0-9_.:@=+~-]');
}

/** @throws ChannelsError `bad_request` for what is no number of publications */
export function parseLimit(limit: unknown): number | undefined {
  if (limit === undefined) return undefined;
  if (typeof limit === 'number' && Number.isSafeInteger(limit) && limit >= 1) return limit;
  throw new ChannelsError('bad_request', 'limit must be a whole number of at least 1');
}

/** @throws ChannelsError `bad_request` for what is no position */
export function parsePosition(since: unknown): Position | undefined {
  if (since === undefined) return undefined;
  const { epoch, offset } = asObject(since, 'a position');
  const isOffset = typeof offset === 'number' && Number.isSafeInteger(offset) && offset >= 0;
  if (typeof epoch === 'string' && isOffset) return { epoch, offset };
  throw new ChannelsError('bad_request', 'a position has an epoch, a text, and an offset of at least 0');
}

function asObject(data: unknown, event: string): Record<string, unknown> {
  if (typeof data === 'object' && data !== null && !Array.isArray(data))
    return data as Record<string, unknown>;
  throw new ChannelsError('bad_request', `the data of ${event} must be an object`);
}

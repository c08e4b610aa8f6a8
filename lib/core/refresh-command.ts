import { CLOSE_CODES, type MessageId } from '../protocol/index.js';
import type { Connection } from './connection.js';
import type { Engine } from './engine.js';
import { ChannelsError, toWireError } from './errors.js';
import { hasEnded, remainingMs, type Identity, type Renew } from './identity.js';

/** Between the beginnings of two `$refresh` of a connection, at least. */
export const REFRESH_INTERVAL_MS = 1_000;

/**
 * Runs the guards for a new token, while everything else goes on under the old one.
 *
 * @throws ChannelsError where it can be refused at once
 */
export function answerRefresh(engine: Engine, connection: Connection, id: MessageId, token: string): void {
  const { renew } = connection.info;
  if (!renew) throw new ChannelsError('bad_request', 'the session of this connection does not end');
  const now = engine.clock.now();
  if (now < connection.refreshAfter) {
    const isRunning = connection.refreshAfter === Infinity;
    const waitMs = isRunning ? REFRESH_INTERVAL_MS : Math.ceil(connection.refreshAfter - now);
    throw new ChannelsError('rate_limited', 'too many $refresh', { retryAfterMs: waitMs });
  }
  connection.refreshAfter = Infinity;
  engine.begin();
  let asked = 0;
  const done = refresh(engine, connection, id, renew(token)).then((channels) => void (asked = channels));
  void done.finally(() => {
    connection.refreshAfter = Math.max(engine.clock.now(), now + intervalOf(engine, asked));
    engine.finish();
  });
}

/** Asking channels again costs what their joins do: no more of it than the rate of joins could have paid for. */
function intervalOf({ options: { subscriptionsPerSecond } }: Engine, asked: number): number {
  const paidMs = subscriptionsPerSecond === 0 ? 0 : (asked * 1_000) / subscriptionsPerSecond;
  return Math.max(REFRESH_INTERVAL_MS, paidMs);
}

/** @returns how many channels are asked again */
async function refresh(
  engine: Engine,
  connection: Connection,
  id: MessageId,
  renewing: ReturnType<Renew>,
): Promise<number> {
  let identity: Identity;
  try {
    identity = await renewing;
    if (!connection.writable) return 0;
    check(engine, connection, identity);
  } catch (error) {
    const refusal =
      error instanceof ChannelsError ? error : new ChannelsError('internal', 'the guards failed');
    if (refusal !== error) engine.observers.failed({ where: '$refresh', error });
    if (connection.writable) engine.observers.faulted(connection, 'refresh_refused');
    connection.sendError(id, toWireError(refusal));
    if (refusal instanceof LostSession) connection.close(refusal.close.code, refusal.close.reason);
    return 0;
  }
  engine.renew(connection, identity);
  engine.observers.refreshed(connection);
  connection.sendAck(id, { expiresInMs: remainingMs(identity, engine.clock.wallNow()) });
  return connection.subscriptions.reconsider();
}

/** @throws ChannelsError where the session stays as it was, LostSession where it has to end */
function check(engine: Engine, { principal }: Connection, identity: Identity): void {
  if (identity.principal !== principal) {
    // By 4401 the client comes back with the new token, as whoever it stands for: nothing of the former one is left.
    throw new LostSession('the token is of another principal', CLOSE_CODES.TokenExpired);
  }
  if (engine.revocations.covers(identity)) throw new LostSession('revoked', CLOSE_CODES.Forbidden);
  if (hasEnded(identity, engine.clock.wallNow())) {
    throw new ChannelsError('unauthorized', 'the token has ended');
  }
}

/** The connection does not outlive its answer. */
class LostSession extends ChannelsError {
  constructor(
    message: string,
    readonly close: { readonly code: number; readonly reason: string },
  ) {
    super('forbidden', message);
  }
}

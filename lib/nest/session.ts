import type { Identity } from '../core/identity.js';
import { HandshakeRefusal, type HandshakeRequest } from '../transport/index.js';
import type { Session } from './channels-options.interface.js';
import { tokenTimes } from './token-times.js';

/**
 * Who a user is, unless the option `session` says it: `sub`, `id` or `userId`, a text or a number.
 *
 * @throws HandshakeRefusal (500) for a user that has none of them: who is who must never be guessed
 */
export function defaultSession({ user }: HandshakeRequest): Session {
  if (user === undefined || user === null) return { principal: '' };
  const { sub, id, userId } = user as Readonly<Record<string, unknown>>;
  const principal = sub ?? id ?? userId;
  if ((typeof principal === 'string' && principal !== '') || Number.isFinite(principal)) {
    return { principal: String(principal), ...tokenTimes(user) };
  }
  const message =
    'A handshake guard has set a user without a usable principal: ' +
    'give it a "sub", "id" or "userId", or set the option "session".';
  throw new HandshakeRefusal(500, { message, error: 'Internal Server Error', statusCode: 500 }, {}, message);
}

/**
 * What a session says, and for what it leaves out, what the guards have found.
 *
 * @throws TypeError where the application's `session` gave what is none
 */
export function toIdentity(session: Session, request: HandshakeRequest): Identity {
  const { principal, expiresAt, issuedAt, claims } = (session ?? {}) as Partial<Session>;
  if (typeof principal !== 'string') {
    throw new TypeError(
      `session must give { principal: string }, got a principal of type ${typeof principal}.`,
    );
  }
  return {
    principal,
    user: request.user,
    expiresAt: checkTime('expiresAt', expiresAt === undefined ? request.expiresAt : expiresAt),
    issuedAt: checkTime('issuedAt', issuedAt === undefined ? request.issuedAt : issuedAt),
    claims,
  };
}

function checkTime(name: string, value: unknown): number | undefined {
  if (value === undefined || (typeof value === 'number' && !Number.isNaN(value))) return value;
  const got = value === null || typeof value === 'number' ? String(value) : `a ${typeof value}`;
  throw new TypeError(`session must give ${name} in milliseconds since the epoch, got ${got}.`);
}

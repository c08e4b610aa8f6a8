import { HandshakeRefusal, type HandshakeRequest } from '../transport/index.js';
import type { Session } from './channels-options.interface.js';

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
    return { principal: String(principal) };
  }
  const message =
    'A handshake guard has set a user without a usable principal: ' +
    'give it a "sub", "id" or "userId", or set the option "session".';
  throw new HandshakeRefusal(500, { message, error: 'Internal Server Error', statusCode: 500 }, {}, message);
}

/** @throws TypeError where the application's `session` gave no principal */
export function checkSession(session: Session): Session {
  const principal: unknown = (session as Session | undefined)?.principal;
  if (typeof principal === 'string') return session;
  throw new TypeError(
    `session must give { principal: string }, got a principal of type ${typeof principal}.`,
  );
}

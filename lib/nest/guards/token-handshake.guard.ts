import { Injectable, UnauthorizedException, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { HandshakeRequest } from '../../transport/ws/handshake-request.js';
import { timesOfToken, tokenTimes, type TokenTimes } from '../token-times.js';

const BEARER = /^bearer +(\S+) *$/i;

/** How the usual JWT libraries call a token that does not hold: jsonwebtoken by name, jose by code. */
const REFUSED_NAMES: ReadonlySet<string> = new Set([
  'JsonWebTokenError',
  'TokenExpiredError',
  'NotBeforeError',
]);
const REFUSED_CODES = /^ERR_J(WT|WS|WE|OSE)/;

/** What jsonwebtoken says where nobody has given it a secret: no fault of the token's. */
const NO_SECRET = /^secret or public key must be provided/;

/**
 * A handshake guard in one method: turn the token into a user.
 *
 * The token comes from `Authorization`, from the subprotocol entry
 * `nestjs-channels.bearer.<base64url>` or from the cookie that the option `tokenCookie` names.
 * Without one, or when {@link authenticate} gives none, the peer gets 401. What JWT libraries throw
 * for a token that does not hold is 401, too; an `HttpException` keeps its status; anything else, a missing
 * secret among it, is a failure of the server, 500, and is logged.
 *
 * The connection ends with the token: at the `exp` of the user, or else of the token itself where that is a JWT. The
 * guard runs again for each `$refresh`. The option `session` may say otherwise.
 *
 * @example
 * ```ts
 * @Injectable()
 * export class JwtGuard extends TokenHandshakeGuard<User> {
 *   constructor(private readonly jwt: JwtService) {
 *     super();
 *   }
 *
 *   authenticate(token: string) {
 *     return this.jwt.verifyAsync<User>(token);
 *   }
 * }
 * ```
 * @publicApi
 */
@Injectable()
export abstract class TokenHandshakeGuard<User extends object = object> implements CanActivate {
  /** The user that the token stands for; `null` or `undefined` refuses it. */
  abstract authenticate(
    token: string,
    request: HandshakeRequest,
  ): User | null | undefined | Promise<User | null | undefined>;

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<HandshakeRequest>();
    const token = BEARER.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined) throw new UnauthorizedException('a token is required');
    const user = await this.#authenticate(token, request);
    if (user === null || user === undefined) throw new UnauthorizedException('the token was refused');
    request.user = user;
    // It has been checked, so that its times can be believed; what the application made of it may not have them.
    const { expiresAt, issuedAt } = { ...timesOfToken(token), ...given(tokenTimes(user)) };
    request.expiresAt = least(request.expiresAt, expiresAt);
    request.issuedAt = least(request.issuedAt, issuedAt);
    return true;
  }

  async #authenticate(token: string, request: HandshakeRequest): Promise<User | null | undefined> {
    try {
      return await this.authenticate(token, request);
    } catch (error) {
      if (isRefusal(error))
        throw new UnauthorizedException('the token was refused', {
          cause: error,
          description: 'Unauthorized',
        });
      throw error;
    }
  }
}

function given({ expiresAt, issuedAt }: TokenTimes): TokenTimes {
  return { ...(expiresAt !== undefined && { expiresAt }), ...(issuedAt !== undefined && { issuedAt }) };
}

/** Where several gateways share a path, each has checked one. */
function least(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
}

function isRefusal(error: unknown): boolean {
  if (!(error instanceof Error) || NO_SECRET.test(error.message)) return false;
  const { code } = error as { readonly code?: unknown };
  return REFUSED_NAMES.has(error.name) || (typeof code === 'string' && REFUSED_CODES.test(code));
}

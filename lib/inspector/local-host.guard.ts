import { isIP } from 'node:net';
import { ForbiddenException, type CanActivate, type ExecutionContext } from '@nestjs/common';

interface Request {
  readonly headers: { readonly host?: string };
}

/** An IPv6 address stands in brackets, RFC 3986 section 3.2.2. */
const HOST = /^(?:\[([^\]]+)\]|([^:]+))(?::\d+)?$/;

/**
 * Stands in for the guards that a development has not named: takes requests only that were sent to `localhost` or to an
 * address. Any page may give its own name the address of this machine, and is of the same host for the browser then.
 */
export const LOCAL_HOST_GUARD: CanActivate = {
  canActivate(context: ExecutionContext): boolean {
    const { host = '' } = context.switchToHttp().getRequest<Request>().headers;
    const [, bracketed, plain = ''] = HOST.exec(host) ?? [];
    if (plain.toLowerCase() === 'localhost' || isIP(bracketed ?? plain) !== 0) return true;
    throw new ForbiddenException(
      'without guards the inspector is reached by localhost or an address only; for a name of its own give it guards',
    );
  },
};

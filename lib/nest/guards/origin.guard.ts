import {
  ForbiddenException,
  Inject,
  Injectable,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import type { HandshakeRequest } from '../../transport/ws/handshake-request.js';
import { readForwarded } from '../../transport/ws/peer-address.js';
import type { ChannelsModuleOptions } from '../channels-options.interface.js';
import { trustedHops } from '../engine-options.js';
import { CHANNELS_OPTIONS } from '../tokens.js';

/** Ports that an `Origin` leaves out. */
const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

/** Scheme, host and port, RFC 6454 section 7: a URL parser takes more, and no browser sends more. */
const ORIGIN = /^https?:\/\/[^/\\?#@%\s]+$/i;

/** A handshake that comes from a page that may not connect. */
export class ForeignOriginException extends ForbiddenException {
  constructor(
    message: string,
    /** What to write into the options, if the page should be let in. */
    readonly advice: string,
  ) {
    super(message);
  }
}

/**
 * Lets only pages in that the option `allowedOrigins` names; unset, those of the server's own host.
 * Runs before every other guard of every gateway: browsers send cookies to a WebSocket whatever
 * page opens it, and apply no same-origin policy to it.
 *
 * @publicApi
 */
@Injectable()
export class OriginGuard implements CanActivate {
  constructor(@Inject(CHANNELS_OPTIONS) private readonly options: ChannelsModuleOptions) {}

  canActivate(context: ExecutionContext): boolean {
    this.check(context.switchToHttp().getRequest<HandshakeRequest>());
    return true;
  }

  /** @throws ForeignOriginException */
  check(request: HandshakeRequest, { cookieAuthenticates = false, anyPort = false } = {}): void {
    const { allowedOrigins } = this.options;
    const { origin } = request.headers;
    if (origin === undefined) {
      this.#checkMissing(cookieAuthenticates);
      return;
    }
    if (allowedOrigins === '*') return;
    if (allowedOrigins ? allowedOrigins.includes(origin) : isSameHost(origin, this.#hostOf(request), anyPort))
      return;
    throw new ForeignOriginException(
      'this page may not connect',
      `allowedOrigins: [${JSON.stringify(origin.slice(0, 128))}]`,
    );
  }

  #checkMissing(cookieAuthenticates: boolean): void {
    if (!this.options.requireOrigin && !cookieAuthenticates) return;
    throw new ForeignOriginException(
      'an Origin is required',
      cookieAuthenticates ? 'a token in a cookie needs an Origin beside it' : 'requireOrigin: false',
    );
  }

  #hostOf(request: HandshakeRequest): string {
    const forwarded = readForwarded(request, 'x-forwarded-host', trustedHops(this.options));
    return forwarded ?? request.headers.host ?? '';
  }
}

function isSameHost(origin: string, host: string, anyPort: boolean): boolean {
  const page = ORIGIN.test(origin) ? parse(origin) : undefined;
  if (!page) return false;
  // A port that the scheme implies is left out by both sides, or by one.
  const server = parse(`${page.protocol}//${host}`);
  if (!server || page.hostname !== server.hostname || page.hostname === '') return false;
  return anyPort || portOf(page) === portOf(server);
}

function portOf(url: URL): string {
  return url.port || (DEFAULT_PORTS[url.protocol] ?? '');
}

function parse(url: string): URL | undefined {
  try {
    return new URL(url);
  } catch {
    // `null`, as sandboxed pages send it, and whatever else is no URL is nobody's host.
    return undefined;
  }
}

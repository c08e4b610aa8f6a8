import type { IncomingMessage } from 'node:http';
import { BEARER_SUBPROTOCOL_PREFIX, SLOT_SUBPROTOCOL_PREFIX } from '../../protocol/index.js';

/**
 * The request of an upgrade, as handshake guards see it: Node's own, with what HTTP frameworks add
 * to theirs, so that guards written for HTTP work unchanged.
 *
 * @publicApi
 */
export interface HandshakeRequest extends IncomingMessage {
  /** The peer's address. Behind a proxy it is the proxy's, unless the option `trustProxy` is set. */
  ip: string;

  /** Parameters of the gateway's path, decoded. */
  params: Readonly<Record<string, string>>;

  /** Parameters of the query string; of a repeated one all values. */
  query: Readonly<Record<string, string | string[]>>;

  /** Cookies, decoded. */
  cookies: Readonly<Record<string, string>>;

  /** Set by a guard: who this is. */
  user?: unknown;

  /** Set by a guard: when the token that it has checked ends, in milliseconds since the epoch. */
  expiresAt?: number;

  /** Set by a guard: when that token was issued, in milliseconds since the epoch. */
  issuedAt?: number;
}

const BEARER = /^bearer /i;

export interface RequestParts {
  readonly ip: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** The token of the subprotocol entry. */
  readonly token?: string;
  /** The entries that are left without it. */
  readonly protocols: readonly string[];
  /** The name of the cookie that may carry a token. */
  readonly tokenCookie?: string;
}

export interface ReadRequest {
  readonly request: HandshakeRequest;
  /** The token came in a cookie, which browsers also send for a foreign page. */
  readonly cookieAuthenticates: boolean;
}

/** Adds the parts that Node's request does not have, and puts the token where guards look for it. */
export function readRequest(incoming: IncomingMessage, parts: RequestParts): ReadRequest {
  const cookies = readCookies(incoming.headers.cookie);
  const request = Object.assign(incoming, {
    ip: parts.ip,
    params: parts.params,
    query: readQuery(parts.query),
    cookies,
  });
  hideToken(request, parts.protocols);
  // Credentials of another scheme, as a browser sends them to a site behind Basic, are no token.
  if (BEARER.test(request.headers.authorization ?? '')) return { request, cookieAuthenticates: false };

  // An empty cookie, as a logout may leave it behind, holds no token.
  const cookie = (parts.tokenCookie !== undefined && cookies[parts.tokenCookie]) || undefined;
  const token = parts.token ?? cookie;
  if (token !== undefined) request.headers.authorization = `Bearer ${token}`;
  return { request, cookieAuthenticates: parts.token === undefined && cookie !== undefined };
}

/** A token or a ticket, in an entry of ours or in one that is misspelt. */
const TOKEN = new RegExp(
  [BEARER_SUBPROTOCOL_PREFIX, SLOT_SUBPROTOCOL_PREFIX].join('|').replaceAll('.', String.raw`\.`),
  'i',
);

/** Also in the raw headers: a token must not reach a log from there. Without one the header stays as it was sent. */
function hideToken({ headers, rawHeaders }: IncomingMessage, protocols: readonly string[]): void {
  const name = 'sec-websocket-protocol';
  if (!TOKEN.test(headers[name] ?? '')) return;
  const value = protocols.filter((protocol) => !TOKEN.test(protocol)).join(', ');
  if (value === '') delete headers[name];
  else headers[name] = value;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.toLowerCase() === name) rawHeaders[at + 1] = value;
  }
}

function readQuery(search: URLSearchParams): Record<string, string | string[]> {
  const query: Record<string, string | string[]> = emptyRecord();
  // One walk: to ask for the values of each name takes a walk each, and no guard has looked at the request yet.
  for (const [name, value] of search) {
    const known = query[name];
    if (known === undefined) query[name] = value;
    else if (typeof known === 'string') query[name] = [known, value];
    else known.push(value);
  }
  return query;
}

function readCookies(header: string | undefined): Record<string, string> {
  const cookies: Record<string, string> = emptyRecord();
  for (const pair of header?.split(';') ?? []) {
    const at = pair.indexOf('=');
    if (at < 0) continue;
    const name = pair.slice(0, at).trim();
    // As RFC 6265 section 5.4 orders them, the first of several is the most specific.
    if (!(name in cookies)) cookies[name] = decodeCookie(pair.slice(at + 1).trim());
  }
  return cookies;
}

function decodeCookie(value: string): string {
  const bare = value.startsWith('"') && value.endsWith('"') && value.length > 1 ? value.slice(1, -1) : value;
  try {
    return decodeURIComponent(bare);
  } catch {
    // Not percent-encoded by anybody: it stands for itself.
    return bare;
  }
}

/** The names come from the peer: `__proto__` must be a name like any other. */
function emptyRecord<T>(): Record<string, T> {
  return Object.create(null) as Record<string, T>;
}

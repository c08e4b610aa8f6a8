import { BEARER_SUBPROTOCOL_PREFIX, JSON_SUBPROTOCOL } from '../protocol/index.js';

/** Those of `ws`, whose types nobody needs to have installed. */
interface WebSocketOptions {
  readonly headers: Record<string, string>;
  readonly origin: string | undefined;
  readonly localAddress: string | undefined;
  readonly autoPong: boolean;
}

/**
 * How a `TestClient` connects. All of it is optional.
 *
 * @publicApi
 */
export interface TestClientOptions {
  /** Subprotocols to offer; `[]` for a plain client. Default: `['nestjs-channels.v1.json']`. */
  readonly protocols?: readonly string[];
  /** Sent as `Authorization: Bearer <token>`, as a server-side client does. */
  readonly token?: string;
  /** Sent as the last subprotocol offered, base64url-encoded, as a browser has to. */
  readonly bearer?: string;
  /** Further headers of the handshake. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The `Origin` that a browser would send. None unless given. */
  readonly origin?: string;
  /** The address to connect from; on Linux any of `127.0.0.0/8`, for tests of limits per address. */
  readonly localAddress?: string;
  /** How long the handshake and each wait may take, in milliseconds of real time. Default: 5000. */
  readonly timeoutMs?: number;
  /** `false` plays a peer that does not answer protocol pings. Default: true. */
  readonly autoPong?: boolean;
}

/**
 * The subprotocols to offer.
 *
 * @internal
 */
export function offer({ protocols = [JSON_SUBPROTOCOL], bearer }: TestClientOptions): string[] {
  if (bearer === undefined) return [...protocols];
  return [...protocols, BEARER_SUBPROTOCOL_PREFIX + Buffer.from(bearer).toString('base64url')];
}

/**
 * The rest of the options, as `ws` takes them.
 *
 * @internal
 */
export function toClientOptions(options: TestClientOptions): WebSocketOptions {
  const { token, origin, localAddress, autoPong = true } = options;
  const headers = { ...options.headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) };
  return { headers, origin, localAddress, autoPong };
}

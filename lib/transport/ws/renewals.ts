import { IncomingMessage, type IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import type { Engine } from '../../core/engine.js';
import { ChannelsError } from '../../core/errors.js';
import type { Identity, Renew } from '../../core/identity.js';
import type { ErrorCode } from '../../protocol/index.js';
import type { HandshakeRequest } from './handshake-request.js';
import { PendingUpgrades } from './pending-upgrades.js';
import { closeReasonOf, HandshakeRefusal } from './refusal.js';
import type { Handshake } from './upgrade-server.js';

/** Runs the guards of a handshake again, for the tokens that living connections bring. */
export class Renewals {
  /** As many as there may be upgrades, and beside them: neither must keep the others out. */
  readonly #pending: PendingUpgrades;

  constructor(engine: Engine) {
    this.#pending = new PendingUpgrades(engine);
  }

  /** Only where there is an end to put off: what it takes is kept for as long as the connection. */
  of(request: HandshakeRequest, handshake: Handshake, { expiresAt }: Identity): Renew | undefined {
    if (expiresAt === undefined || expiresAt === Number.POSITIVE_INFINITY) return undefined;
    const kept = keep(request);
    return async (token) => {
      try {
        const { data: _data, ...identity } = await this.#pending.wait(() =>
          handshake.admit(ask(kept, token)),
        );
        return identity;
      } catch (error) {
        throw error instanceof HandshakeRefusal ? toChannelsError(error) : error;
      }
    };
  }

  /** Waits no longer, whatever the guards will say. */
  refuse(refusal: HandshakeRefusal): void {
    this.#pending.refuse(refusal);
  }
}

/** What a guard may look at. The token that came with it is not kept. */
type KeptRequest = Pick<HandshakeRequest, 'url' | 'httpVersion' | 'ip' | 'params' | 'query' | 'cookies'> & {
  readonly headers: IncomingHttpHeaders;
  readonly socket: Socket;
};

function keep(request: HandshakeRequest): KeptRequest {
  const { url, httpVersion, ip, params, query, cookies, socket } = request;
  const { authorization: _token, ...headers } = request.headers;
  return { url, httpVersion, ip, params, query, cookies, headers, socket };
}

/** A request as that of the handshake, with another token. */
function ask({ socket, headers, ...kept }: KeptRequest, token: string): HandshakeRequest {
  const all = { ...headers, authorization: `Bearer ${token}` };
  const rawHeaders = Object.entries(headers).flatMap(([name, values]) =>
    [values ?? []].flat().flatMap((value) => [name, value]),
  );
  return Object.assign(new IncomingMessage(socket), kept, { method: 'GET', headers: all, rawHeaders });
}

function toChannelsError({ status, text, headers }: HandshakeRefusal): ChannelsError {
  const reason = closeReasonOf(headers);
  const { retryAfterMs } = (reason === '' ? {} : JSON.parse(reason)) as { readonly retryAfterMs?: number };
  return new ChannelsError(codeOf(status), text, { retryAfterMs });
}

function codeOf(status: number): ErrorCode {
  switch (status) {
    case 401:
      return 'unauthorized';
    case 429:
      return 'rate_limited';
    case 503:
      return 'unavailable';
    default:
      return status >= 400 && status < 500 ? 'forbidden' : 'internal';
  }
}

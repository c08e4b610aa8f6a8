import {
  BEARER_SUBPROTOCOL_PREFIX,
  JSON_SUBPROTOCOL,
  SLOT_SUBPROTOCOL_PREFIX,
} from '../../protocol/index.js';

/** A version of ours, as `nestjs-channels.v2.json`; the bearer entry is none. */
const VERSION = /^nestjs-channels\.v\d/;
const BASE64URL = /^[A-Za-z0-9_-]+$/;

/** What a client has offered in `Sec-WebSocket-Protocol`. */
export interface Offer {
  /** The entries without any token, and without the ticket of a slot. */
  readonly protocols: readonly string[];
  /** Our own entry, where it stands first among those that are no token. */
  readonly ours?: string;
  /** Ours, but not a version that this server speaks. */
  readonly unknownVersion: boolean;
  /** The token of a bearer entry behind an entry of ours. */
  readonly token?: string;
  /** The ticket of a slot, behind an entry of ours. */
  readonly ticket?: string;
}

export function readOffer(header: string | undefined): Offer {
  const entries = (header ?? '')
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  const protocols = entries.filter((entry) => !isBearer(entry) && !isSlot(entry));
  const [first] = protocols;
  if (first === undefined || !VERSION.test(first)) return { protocols, unknownVersion: false };
  return {
    protocols,
    ours: first,
    unknownVersion: first !== JSON_SUBPROTOCOL,
    token: entries[0] === first ? readToken(entries.find(isBearer)) : undefined,
    ticket: entries.find(isSlot)?.slice(SLOT_SUBPROTOCOL_PREFIX.length),
  };
}

function isBearer(entry: string): boolean {
  return entry.startsWith(BEARER_SUBPROTOCOL_PREFIX);
}

function isSlot(entry: string): boolean {
  return entry.startsWith(SLOT_SUBPROTOCOL_PREFIX);
}

/** A bearer entry that cannot be decoded is no token: then the guards see none. */
function readToken(entry: string | undefined): string | undefined {
  const encoded = entry?.slice(BEARER_SUBPROTOCOL_PREFIX.length);
  if (encoded === undefined || !BASE64URL.test(encoded)) return undefined;
  const token = Buffer.from(encoded, 'base64url').toString();
  return isHeaderText(token) ? token : undefined;
}

/** Visible ASCII: what may stand in an `Authorization` header. */
function isHeaderText(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}

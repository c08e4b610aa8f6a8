import { JSON_SUBPROTOCOL, type MessageId, type WireError } from '../protocol/index.js';
import { DecodeError, type Codec } from './codec.interface.js';
import { exceedsNesting } from './nesting.js';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** `nestjs-channels.v1.json`: every frame is one JSON object. Also serves peers that named no subprotocol. */
export class JsonCodec implements Codec {
  readonly subprotocol = JSON_SUBPROTOCOL;

  constructor(private readonly maxNesting: number) {}

  decode(message: string | Uint8Array): unknown {
    const text = typeof message === 'string' ? message : decodeUtf8(message);
    if (exceedsNesting(text, this.maxNesting)) {
      throw new DecodeError(`nested deeper than ${this.maxNesting} levels`, 'bad_frame');
    }
    const value = parseJson(text);
    if (mayNameProto(text) && hasProtoKey(value)) {
      throw new DecodeError('the key "__proto__" is not accepted', 'bad_request', value);
    }
    return value;
  }

  encodeEvent(event: string, data: unknown): string {
    return `{"event":${JSON.stringify(event)}${this.#dataMember(data)}}`;
  }

  encodeRequest(event: string, data: unknown, id: MessageId): string {
    return `{"event":${JSON.stringify(event)}${this.#dataMember(data)},"id":${encodeId(id)}}`;
  }

  encodePublication(channel: string, event: string, json: string | undefined, offset?: number): string {
    const data = json === undefined ? '' : `,"data":${json}`;
    const place = offset === undefined ? '' : `,"offset":${offset}`;
    return `{"channel":${JSON.stringify(channel)},"event":${JSON.stringify(event)}${place}${data}}`;
  }

  markDropped(publication: string, dropped: number): string {
    return `${publication.slice(0, -1)},"dropped":${dropped}}`;
  }

  encodeAck(id: MessageId, data: unknown, more: boolean): string {
    return `{"ack":${encodeId(id)}${this.#dataMember(data)}${more ? ',"more":true' : ''}}`;
  }

  encodeError(id: MessageId, error: WireError): string {
    return `{"ack":${encodeId(id)},"error":${this.encodeData(error) as string}}`;
  }

  encodeAnswer(id: MessageId, member: 'data' | 'error', json: string | undefined): string {
    return `{"ack":${encodeId(id)}${json === undefined ? '' : `,"${member}":${json}`}}`;
  }

  encodeData(value: unknown): string | undefined {
    return encode(value, this.maxNesting - 1);
  }

  encodeValue(value: unknown): string | undefined {
    return encode(value, this.maxNesting);
  }

  /** As `JSON.stringify` treats a member: without a representation it is left out. */
  #dataMember(value: unknown): string {
    const text = this.encodeData(value);
    return text === undefined ? '' : `,"data":${text}`;
  }
}

function encodeId(id: MessageId): string {
  return typeof id === 'number' ? String(id) : JSON.stringify(id);
}

function encode(value: unknown, maxNesting: number): string | undefined {
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined || !exceedsNesting(text, maxNesting)) return text;
  throw new RangeError(`nested deeper than the ${maxNesting} levels that maxNesting leaves it`);
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new DecodeError('a binary message must be JSON in UTF-8', 'bad_frame');
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new DecodeError('a message must be JSON', 'bad_frame');
  }
}

/** Any of its letters may be written as an escape. */
function mayNameProto(text: string): boolean {
  return text.includes('__proto__') || text.includes('\\u');
}

function hasProtoKey(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (Object.hasOwn(value, '__proto__')) return true;
  return Object.values(value).some(hasProtoKey);
}

import { constants as constantsOfBuffers } from 'node:buffer';
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import type { WebSocket } from 'ws';
import type { EncodedFrame } from '../../core/encoded-frame.js';
import { FIN_TEXT, framedBytes } from './frame.js';

/** FIN, RSV1 and the opcode of a text frame: RFC 7692, section 6. */
const FIN_DEFLATED_TEXT = 0xc1;

/** The empty block that ends a flush, and that no frame carries: RFC 7692, section 7.2.1. */
const TAIL = Buffer.from([0, 0, 0xff, 0xff]);

/** Options of `ws` with which no message needs those before it, so that all can have the same one. */
export function deflateOptions(threshold: number): object {
  return { threshold, serverNoContextTakeover: true, clientNoContextTakeover: true };
}

/** How a peer gets frames that are deflated for all: as they are, where it has asked for a smaller window. */
export function sharedDeflate(offer: string | undefined): 'shared' | 'none' {
  return offer?.includes('server_max_window_bits') ? 'none' : 'shared';
}

/** The bytes of a frame that was deflated, or not where that saves nothing. Made once, shared by all who get it. */
export function deflatedText(frame: EncodedFrame): Uint8Array {
  return (frame.deflated ??= deflate(frame));
}

function deflate({ text }: EncodedFrame): Uint8Array {
  const plain = Buffer.from(text);
  const flushed = deflateRawSync(plain, { finishFlush: constants.Z_SYNC_FLUSH });
  const payload = flushed.subarray(0, flushed.length - TAIL.length);
  const isShorter = payload.length < plain.length;
  return framedBytes(isShorter ? FIN_DEFLATED_TEXT : FIN_TEXT, isShorter ? payload : plain);
}

type Inflated = (error: Error | null, data?: Buffer) => void;

type Decompress = (this: Extension, data: Buffer, isLast: boolean, inflated: Inflated) => void;

/** What `ws` has for a peer that compresses, and hands every fragment to. It documents none of this. */
interface Extension {
  decompress: Decompress;
}

/** The extension of a peer whose messages are inflated at once. */
interface WholeExtension extends Extension {
  [SOCKET]: WebSocket;
  [OF_WS]: Decompress;
  [MAX_BYTES]: number | undefined;
  /** Of the message that has begun; `ws` bounds their number and their bytes. */
  [FRAGMENTS]?: Buffer[];
}

const SOCKET = Symbol('socket');
const OF_WS = Symbol('of ws');
const MAX_BYTES = Symbol('maxBytes');
const FRAGMENTS = Symbol('fragments');
const NOTHING = Buffer.alloc(0);

/**
 * What may be inflated in one turn of the event loop, for all peers together: half a millisecond of CPU. Whoever
 * passes it goes on in the next turn, for what a peer has packed well may be a thousand times what it has sent.
 */
export const MAX_INFLATED_PER_TURN = 262_144;

/** What a message counts beside its bytes: so many more would take as long as the call itself. */
const CALL_BYTES = 1_024;

let inflatedInTurn = 0;

/**
 * Lets each message of a peer be inflated as a whole, at once: with {@link deflateOptions} none needs those before it.
 * By itself `ws` has a stream for each peer that compresses, some 28 KiB for as long as the connection lives, and takes
 * ten times the CPU for a short message.
 *
 * @param maxBytes - what a message may have, inflated; without a bound where it is none
 */
export function inflateAtOnce(socket: WebSocket, maxBytes = 0): void {
  const { _extensions: extensions } = socket as unknown as { _extensions: Record<string, Extension> };
  const extension = extensions['permessage-deflate'] as WholeExtension;
  if (typeof extension.decompress !== 'function') throw new TypeError('ws inflates in another way');
  extension[SOCKET] = socket;
  extension[OF_WS] = extension.decompress;
  extension[MAX_BYTES] = maxBytes > 0 && maxBytes < constantsOfBuffers.MAX_LENGTH ? maxBytes : undefined;
  extension.decompress = decompress;
}

/** Shared by all: a closure each would be paid for by every idle connection. */
function decompress(this: Extension, data: Buffer, isLast: boolean, inflated: Inflated): void {
  const extension = this as WholeExtension;
  const { [SOCKET]: socket, [FRAGMENTS]: fragments = [] } = extension;
  if (!isLast) {
    fragments.push(data);
    extension[FRAGMENTS] = fragments;
    goOn(inflated, NOTHING);
    return;
  }
  extension[FRAGMENTS] = undefined;
  const whole = Buffer.concat([...fragments, data, TAIL]);
  // What is said behind a close is heard no more.
  const message = socket.readyState === socket.OPEN ? inflate(whole, extension[MAX_BYTES]) : NOTHING;
  // Broken or too long, it is so to ws as well, and ws knows how a connection is closed for it.
  if (message === undefined) extension[OF_WS](whole.subarray(0, -TAIL.length), true, inflated);
  else goOn(inflated, message);
}

/** Not before the caller has returned: ws reads on in there, which would nest as deep as there are messages. */
function goOn(inflated: Inflated, message: Buffer): void {
  if (inflatedInTurn === 0) setImmediate(beginTurn);
  inflatedInTurn += message.length + CALL_BYTES;
  if (inflatedInTurn > MAX_INFLATED_PER_TURN) setImmediate(inflated, null, message);
  else process.nextTick(inflated, null, message);
}

function beginTurn(): void {
  inflatedInTurn = 0;
}

/** `undefined` for what is broken, too long, or has something behind its last block. */
function inflate(whole: Buffer, maxOutputLength: number | undefined): Buffer | undefined {
  try {
    const options = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength, info: true };
    const { buffer, engine } = inflateRawSync(whole, options) as unknown as Info;
    // A last block ends in front of the tail.
    return engine.bytesWritten >= whole.length - TAIL.length ? buffer : undefined;
  } catch {
    return undefined;
  }
}

/** What zlib gives with the option `info`. */
interface Info {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

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

/** What `ws` has for a peer that compresses, and hands every fragment to. It documents none of this. */
interface Extension {
  decompress(data: Buffer, isLast: boolean, inflated: Inflated): void;
}

/** The extension of a peer whose messages are inflated at once. */
interface WholeExtension extends Extension {
  [MAX_BYTES]: number | undefined;
  /** Of the message that has begun; `ws` bounds their number and their bytes. */
  [FRAGMENTS]?: Buffer[];
}

const MAX_BYTES = Symbol('maxBytes');
const FRAGMENTS = Symbol('fragments');
const NOTHING = Buffer.alloc(0);

/**
 * Lets each message of a peer be inflated as a whole, at once: with {@link deflateOptions} none needs those before it.
 * By itself `ws` has a stream for each peer that compresses, some 28 KiB for as long as the connection lives, and takes
 * ten times the CPU for a short message.
 *
 * @param maxBytes - what a message may have, inflated; 0 or nothing for no bound
 */
export function inflateAtOnce(socket: WebSocket, maxBytes: number | undefined): void {
  const { _extensions: extensions } = socket as unknown as { _extensions: Record<string, Extension> };
  const extension = extensions['permessage-deflate'] as WholeExtension;
  extension[MAX_BYTES] = maxBytes === 0 ? undefined : maxBytes;
  extension.decompress = decompress;
}

/** Shared by all: a closure each would be paid for by every idle connection. */
function decompress(this: WholeExtension, data: Buffer, isLast: boolean, inflated: Inflated): void {
  const fragments = (this[FRAGMENTS] ??= []);
  fragments.push(data);
  if (!isLast) {
    process.nextTick(inflated, null, NOTHING);
    return;
  }
  this[FRAGMENTS] = undefined;
  const whole = Buffer.concat([...fragments, TAIL]);
  let message: Buffer;
  try {
    message = inflateRawSync(whole, {
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: this[MAX_BYTES],
    });
  } catch {
    // Broken or too long. To ws it is the same, and ws knows how a connection is closed for it.
    const { decompress: ofWs } = Object.getPrototypeOf(this) as Extension;
    ofWs.call(this, whole, true, inflated);
    return;
  }
  // Not at once: ws reads on in there, as deep as there are messages.
  process.nextTick(inflated, null, message);
}

import { constants, deflateRawSync } from 'node:zlib';
import type { EncodedFrame } from '../../core/encoded-frame.js';
import { framedBytes, framedText } from './frame.js';

/** FIN, RSV1 and the opcode of a text frame: RFC 7692, section 6. */
const FIN_DEFLATED_TEXT = 0xc1;

/** The empty block that ends a flush, and that no frame carries: RFC 7692, section 7.2.1. */
const TAIL_BYTES = 4;

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

function deflate(frame: EncodedFrame): Uint8Array {
  const flushed = deflateRawSync(frame.text, { finishFlush: constants.Z_SYNC_FLUSH });
  const payload = flushed.subarray(0, flushed.length - TAIL_BYTES);
  return payload.length < frame.byteLength ? framedBytes(FIN_DEFLATED_TEXT, payload) : framedText(frame);
}

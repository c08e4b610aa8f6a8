/** What a client does after a close: come back, or stay away. */
export type CloseVerdict = 'reconnect' | 'stay';

// The codes that a client acts upon, apart from their verdict. They stand outside of the table so that a
// client does not carry its words.
export const NORMAL_CLOSE = 1000;
export const ABNORMAL_CLOSE = 1006;
export const TRY_AGAIN_LATER_CLOSE = 1013;
export const TOKEN_EXPIRED_CLOSE = 4401;
export const UNAUTHORIZED_CLOSE = 4501;
export const REPLACED_CLOSE = 4509;
export const IDLE_TIMEOUT_CLOSE = 4510;

/** Below 4000, what would end the same way again; the others are the network's, or pass by. */
const STAYING: ReadonlySet<number> = new Set([NORMAL_CLOSE, 1002, 1003, 1007, 1008, 1009, 1010, 1015]);

/**
 * What a client does after `code`, docs/protocol.md section 8: 4500-4999 stay away, 4000-4499 come back.
 * A code that is not in the table obeys its range.
 */
export function closeVerdict(code: number): CloseVerdict {
  return STAYING.has(code) || (code >= 4500 && code <= 4999) ? 'stay' : 'reconnect';
}

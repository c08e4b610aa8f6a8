import { ChannelsError } from './errors.js';
import type { RevocationTarget } from './revocation-store.interface.js';

/** The longest principal, or name and value of a claim together, in characters. */
const MAX_TARGET_LENGTH = 1_024;

/** @throws ChannelsError `bad_request` for what names nobody, or everybody */
export function parseTarget(value: unknown): RevocationTarget {
  const { principal, claim } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (claim === undefined && isText(principal)) return { principal };
  const { name, value: text } = (claim ?? {}) as Readonly<Record<string, unknown>>;
  const isClaim = principal === undefined && isText(name) && typeof text === 'string';
  if (isClaim && name.length + text.length <= MAX_TARGET_LENGTH) return { claim: { name, value: text } };
  throw new ChannelsError(
    'bad_request',
    `a revocation names a principal, or a claim with name and value, texts of at most ${MAX_TARGET_LENGTH} characters`,
  );
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_TARGET_LENGTH;
}

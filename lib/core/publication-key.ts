import { ChannelsError } from './errors.js';

/** Longest key of a publication, in characters. */
export const MAX_PUBLICATION_KEY_LENGTH = 255;

/** One half of a character: as UTF-8 all of them are the same. */
const HALF = /\p{Surrogate}/u;

/** @throws ChannelsError `bad_request` for what cannot be the key of a publication */
export function checkPublicationKey(key: unknown): void {
  if (typeof key !== 'string' || key === '' || key.length > MAX_PUBLICATION_KEY_LENGTH) {
    throw new ChannelsError(
      'bad_request',
      `"key" must be a text of 1 to ${MAX_PUBLICATION_KEY_LENGTH} characters`,
    );
  }
  if (HALF.test(key)) throw new ChannelsError('bad_request', '"key" has half of a character: it is no text');
}

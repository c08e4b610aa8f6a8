import { NOW, TEXT } from './time.js';

/**
 * What the scripts of the revocations share. KEYS[1] has the targets by their ends, KEYS[2] by the number of the change
 * that they were last part of, KEYS[3] the times of each. Two fields of the last are no targets, which begin with a
 * bracket: `life`, the name of this life of the keys, and `change`, the number of the last change.
 */
export const REVOCATIONS_PRELUDE = `
${NOW}${TEXT}`;

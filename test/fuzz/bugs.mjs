// Bugs that are planted on purpose: fuzzing that finds none of them finds nothing.
import { copyWith, PACKAGE_URL } from '../chaos/package-copy.mjs';

const BUGS = {
  /** A handler leaves a rejection to nobody: planted in `node.mjs`. */
  handler: [],
  /** What is no JSON is swallowed. */
  codec: [
    [
      'codec/json.codec.js',
      "throw new DecodeError('a message must be JSON', 'bad_frame');",
      'return undefined;',
    ],
  ],
  /** Nothing bounds the nesting. */
  nesting: [['codec/json.codec.js', 'if (exceedsNesting(text, this.maxNesting))', 'if (!exceedsNesting)']],
  /** Nothing bounds the length of a message. */
  length: [['transport/ws/web-socket-server.js', 'maxPayload: limits.maxMessageBytes', 'maxPayload: 0']],
};

export const BUG_NAMES = Object.keys(BUGS);

/** The URL of the package with this bug, and whether it is a copy that the caller has to remove. */
export function packageWith(bug) {
  const edits = BUGS[bug] ?? [];
  return edits.length === 0 ? { url: PACKAGE_URL, isCopy: false } : { url: copyWith(edits), isCopy: true };
}

// The built package with parts of its gap watch taken out: what the chaos then has to find.
import { cpSync, mkdtempSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = new URL('../../', import.meta.url);
export const PACKAGE_URL = new URL('dist/', ROOT).href;

/** Each line of the watch, and what it becomes. */
const PARTS = {
  node: [
    ['core/channel-stream.js', ' || position.offset > last.offset + 1)', ')'],
    ['core/channel-stream.js', 'position.offset === last.offset + 1', 'position.offset > last.offset'],
  ],
  positions: [['core/hub.js', 'this.#checks.add(stream);', 'void stream;']],
  client: [['client/channel-table.js', 'offset - dropped === position.offset + 1', 'true']],
};

export const PART_NAMES = Object.keys(PARTS);

/** A copy without these parts; the URL of its folder, which is the caller's to remove. */
export function copyWithout(names) {
  return copyWith(names.flatMap((name) => PARTS[name]));
}

/** A copy with these edits, each a file, a text that it has once, and what that becomes. */
export function copyWith(edits) {
  // Below the package, so that what it imports is found.
  const parent = fileURLToPath(new URL('test-artifacts/', ROOT));
  mkdirSync(parent, { recursive: true });
  const folder = `${mkdtempSync(`${parent}chaos-`)}/`;
  cpSync(fileURLToPath(PACKAGE_URL), folder, { recursive: true });
  for (const edit of edits) replaceOnce(folder, edit);
  return pathToFileURL(folder).href;
}

function replaceOnce(folder, [path, from, to]) {
  const text = readFileSync(folder + path, 'utf8');
  const count = text.split(from).length - 1;
  if (count !== 1) throw new Error(`dist/${path} has ${count} times, not once: ${from}`);
  writeFileSync(
    folder + path,
    text.replace(from, () => to),
  );
}

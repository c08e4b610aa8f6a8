/** The longest text from a peer in a line of the log, in characters. */
const MAX_TEXT = 128;

/** The longest message of an error in a line of the log, in characters: it may quote what the peer has sent. */
const MAX_MESSAGE = 1_024;

/**
 * What terminals and log viewers do not show as text: control characters of both sets, those that change the
 * direction of writing or are invisible, lone surrogates, and the separators of lines that are no `\n`.
 */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** A line of a stack that says where, and not what. */
const PLACE = /^\s+at /;

/** What comes from a peer, as JSON and cut: it makes one line and no other, and ends where it seems to end. */
export function quote(text: string): string {
  const cut = text.slice(0, MAX_TEXT);
  return escapeUnprintable(JSON.stringify(cut)) + (cut.length < text.length ? '…' : '');
}

/** Text that may quote a peer, as one line, or as a field of its own. */
export function oneLine(text: string): string {
  const cut = text.slice(0, MAX_MESSAGE);
  return escapeUnprintable(cut) + (cut.length < text.length ? '…' : '');
}

/** The places of a stack. What stands above them repeats the message, with its line breaks. */
export function placesOf(stack: string | undefined): string | undefined {
  const places = stack?.split('\n').filter((line) => PLACE.test(line));
  return places?.length ? places.map(escapeUnprintable).join('\n') : undefined;
}

function escapeUnprintable(text: string): string {
  return text.replace(UNPRINTABLE, (char) => (char === '\n' ? '\\n' : escapeUnits(char)));
}

function escapeUnits(char: string): string {
  const units = Array.from({ length: char.length }, (_, at) => char.charCodeAt(at));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
}

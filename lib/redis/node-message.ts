import type { Position, Publication } from '../core/broker.interface.js';

/**
 * A publication between nodes and in a stream: the event as a JSON text, which has no line break, and the data.
 * On the way to a node, the position and the connection that does not get it stand before, each on a line:
 *
 *     epoch offset\nexcept\n"event"\n{"data":1}
 */
export function encodeBody({ event, data = '' }: Pick<Publication, 'event' | 'data'>): string {
  return `${JSON.stringify(event)}\n${data}`;
}

/** A message of a channel without history. With a history, a script makes it. */
export function encodeMessage(publication: Publication): string {
  return `\n${publication.except ?? ''}\n${encodeBody(publication)}`;
}

/** What {@link encodeBody} counts besides the event and the data. */
export const BODY_OVERHEAD = 1;

/** @returns undefined for what is none */
export function decodeMessage(channel: string, message: string): Publication | undefined {
  const first = message.indexOf('\n');
  const second = message.indexOf('\n', first + 1);
  if (first < 0 || second < 0) return undefined;
  const position = first === 0 ? undefined : decodePosition(message.slice(0, first));
  const except = second === first + 1 ? undefined : message.slice(first + 1, second);
  return decodeBody(channel, message.slice(second + 1), position, except);
}

/** @returns undefined for what is none */
export function decodeBody(
  channel: string,
  body: string,
  position?: Position,
  except?: string,
): Publication | undefined {
  const end = body.indexOf('\n');
  if (end < 2) return undefined;
  const event = decodeText(body.slice(0, end));
  if (event === undefined) return undefined;
  const data = end + 1 === body.length ? undefined : body.slice(end + 1);
  return {
    channel,
    event,
    ...(data !== undefined && { data }),
    ...(except !== undefined && { except }),
    ...(position && { position }),
  };
}

function decodePosition(text: string): Position | undefined {
  const blank = text.indexOf(' ');
  const offset = Number(text.slice(blank + 1));
  return blank > 0 && Number.isSafeInteger(offset) ? { epoch: text.slice(0, blank), offset } : undefined;
}

/** Most names have nothing that JSON escapes. */
function decodeText(json: string): string | undefined {
  if (!json.includes('\\')) return json.slice(1, -1);
  try {
    return JSON.parse(json) as string;
  } catch {
    return undefined;
  }
}

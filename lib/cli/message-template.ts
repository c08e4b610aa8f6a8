const ROOM = '{room}';
const TEXT = '{text}';

/** What one message says. */
export interface MessageParts {
  readonly room: string;
  readonly text: string;
}

/** The data of `--data`, whose texts may have `{room}` and `{text}` in them. */
export class MessageTemplate {
  /** Whether a message can be told from others when it arrives. */
  readonly hasText: boolean;

  constructor(readonly data: unknown) {
    this.hasText = JSON.stringify(data).includes(TEXT);
  }

  /** The data of one message. */
  render(parts: MessageParts): unknown {
    return renderValue(this.data, parts);
  }
}

function renderValue(value: unknown, parts: MessageParts): unknown {
  if (typeof value === 'string') return renderText(value, parts);
  if (Array.isArray(value)) return value.map((item) => renderValue(item, parts));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, renderValue(item, parts)]));
}

/** By functions: in a text `$&` would be an instruction. */
function renderText(text: string, { room, text: own }: MessageParts): string {
  return text.replaceAll(/\{room\}|\{text\}/g, (place) => (place === ROOM ? room : own));
}

/** The channel of a room by the pattern of `--channel`. */
export function channelOf(pattern: string, room: string): string {
  return pattern.replaceAll(ROOM, () => room);
}

/** Whether a pattern has a channel for each room, or is one channel. */
export function hasRooms(pattern: string): boolean {
  return pattern.includes(ROOM);
}

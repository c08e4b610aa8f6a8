/** Of the envelopes; what is in them has a version of its own. */
const VERSION = 1;

/** One PUBLISH stays small, so that a long answer holds up nothing else. */
const PART_LENGTH = 65_536;

/** More of them, and the answer is none. */
const MAX_PARTS = 256;

/** Stands in the name of a channel. */
const NODE_ID = /^[A-Za-z0-9._:-]{1,128}$/;

const MAX_ID_LENGTH = 64;

/** A question on its way to all nodes. */
export interface QuestionMessage {
  readonly id: string;
  /** The node that asks. */
  readonly from: string;
  readonly text: string;
}

/** A part of an answer on its way to the node that has asked. */
export interface AnswerMessage extends QuestionMessage {
  /** 0 for the first. */
  readonly part: number;
  readonly parts: number;
}

export function encodeQuestion(question: QuestionMessage): string {
  return JSON.stringify({ v: VERSION, ...question });
}

/** The answer in parts, each a message. */
export function encodeAnswer({ id, from, text }: QuestionMessage): string[] {
  const parts = Math.max(1, Math.ceil(text.length / PART_LENGTH));
  return Array.from({ length: parts }, (_, part) => {
    // JSON keeps also the half of a character that a part may begin or end with.
    const slice = text.slice(part * PART_LENGTH, (part + 1) * PART_LENGTH);
    return JSON.stringify({ v: VERSION, id, from, part, parts, text: slice });
  });
}

/** @throws TypeError for what is none, or of another version */
export function parseQuestion(message: string): QuestionMessage {
  const { id, from, text } = parse(message);
  if (isId(id) && isNodeId(from) && typeof text === 'string') return { id, from, text };
  throw unknown(message);
}

/** @throws TypeError for what is none, or of another version */
export function parseAnswer(message: string): AnswerMessage {
  const { id, from, text, part, parts } = parse(message);
  const isWhole = isCount(part) && isCount(parts) && part < parts && parts <= MAX_PARTS;
  if (isId(id) && isNodeId(from) && typeof text === 'string' && isWhole) {
    return { id, from, text, part, parts };
  }
  throw unknown(message);
}

function parse(message: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(message);
  } catch (cause) {
    throw unknown(message, { cause });
  }
  if (typeof value !== 'object' || value === null) throw unknown(message);
  const members = value as Readonly<Record<string, unknown>>;
  if (members['v'] !== VERSION) throw unknown(message);
  return members;
}

function unknown(message: string, options?: ErrorOptions): TypeError {
  const start = JSON.stringify(message.slice(0, 40));
  return new TypeError(`not understood, as from another version of this package: ${start}`, options);
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_ID_LENGTH;
}

function isNodeId(value: unknown): value is string {
  return typeof value === 'string' && NODE_ID.test(value);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

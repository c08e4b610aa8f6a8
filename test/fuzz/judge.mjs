// What docs/protocol.md says of a message, written down a second time: the server is not asked.

const MAX_BYTES = 65_536;
const MAX_NESTING = 32;
const MAX_ID = 64;

/** How a connection of ours may end for what it has sent, beside what its input is made for. */
const MAX_BAD_FRAMES = 10;
const FRAMES_OF_THEIR_OWN = new Set(['$ping', '$gap', '$subscribed', '$unsubscribed', '$join', '$leave']);

/** Events that have handlers. */
const HANDLED = new Set(['echo', 'strict', 'order', 'fails', 'facts']);

/** Each names a channel. */
const CHANNEL_COMMANDS = new Set(['$subscribe', '$unsubscribe', '$history', '$presence']);
const CHANNEL = /^[A-Za-z0-9_.:@=+~-]{1,255}$/;

/**
 * What has to follow a message:
 * - `close` with a code; `ack` under an id, an error where it `fails`; `exception` with a code; `pong`;
 * - `answer`, whatever the handler has given, also nothing;
 * - `silence`, with the fault that has to be counted, if any.
 */
export function wanted(message) {
  const bytes = Buffer.from(message);
  if (bytes.length > MAX_BYTES) return { type: 'close', code: 1009 };
  const value = read(typeof message === 'string' ? bytes.toString() : bytes);
  if (value === PING) return { type: 'silence', fault: 'keep_alive' };
  if (value === UNREADABLE || depthOf(value) > MAX_NESTING) return exception('bad_frame');
  if (typeof value !== 'object' || value === null) return exception('bad_frame');
  const { event, id, ack } = value;
  const isEvent = !Array.isArray(value) && typeof event === 'string' && (id === undefined || isId(id));
  if (namesProto(value)) return isEvent && id !== undefined ? refusal(id) : exception('bad_request');
  if (isEvent) return wantedOfEvent(event, id, value.data);
  if (Array.isArray(value)) return exception('bad_frame');
  if (event === undefined && isId(ack)) return { type: 'silence', fault: 'late_ack' };
  if (event === undefined && value.type === 'ping') return { type: 'silence', fault: 'keep_alive' };
  return exception('bad_frame');
}

function wantedOfEvent(event, id, data) {
  if (event === '$pong') return { type: 'silence' };
  if (id !== undefined) return mustFail(event, data) ? refusal(id) : { type: 'ack', id };
  if (event === '$ping') return { type: 'pong' };
  if (event.startsWith('$')) return exception('bad_request');
  if (HANDLED.has(event)) return { type: 'answer' };
  return exception(event.length > 128 ? 'bad_request' : 'unknown_event');
}

/** What can succeed for nobody, whatever came before it. */
function mustFail(event, data) {
  if (event === 'strict') return !(typeof data?.name === 'string' && Number.isInteger(data.age));
  if (event === 'fails') return true;
  if (HANDLED.has(event) || event === '$ping') return false;
  if (event === '$hello') return data !== undefined && !isObject(data);
  if (CHANNEL_COMMANDS.has(event)) return !isObject(data) || !isChannel(data.channel);
  // No session of the fuzzing ends, and nothing else is handled.
  return true;
}

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isChannel(value) {
  return typeof value === 'string' && CHANNEL.test(value);
}

/** An answer that is an error. */
function refusal(id) {
  return { type: 'ack', id, fails: true };
}

function exception(code) {
  return { type: 'exception', code };
}

const PING = Symbol('ping');
const UNREADABLE = Symbol('unreadable');

function read(message) {
  try {
    const text =
      typeof message === 'string' ? message : new TextDecoder('utf-8', { fatal: true }).decode(message);
    // As a binary message it is none.
    if (message === 'ping') return PING;
    return JSON.parse(text);
  } catch {
    return UNREADABLE;
  }
}

function isId(value) {
  return typeof value === 'string' ? value.length <= MAX_ID : Number.isSafeInteger(value);
}

/** Without recursion: there may be tens of thousands of levels. */
function depthOf(value) {
  let level = [value];
  let depth = 0;
  for (;;) {
    level = level.filter((item) => typeof item === 'object' && item !== null);
    if (level.length === 0) return depth;
    depth += 1;
    level = level.flatMap((item) => Object.values(item));
  }
}

function namesProto(value) {
  if (typeof value !== 'object' || value === null) return false;
  return Object.hasOwn(value, '__proto__') || Object.values(value).some(namesProto);
}

/** Whether what has to follow is there already. */
export function isComplete(want, { frames, code }) {
  if (code !== undefined) return true;
  if (want.type === 'close') return false;
  return want.type !== 'ack' || frames.some(({ ack, more }) => ack === want.id && !more);
}

/**
 * What is wrong with what has followed, or nothing.
 *
 * @param seen `frames`, `faults` that the server has counted, the `code` of a close, whether the peer is `ours`,
 * and how many `badFrames` it has sent on this connection
 */
export function judge(want, seen, codes) {
  const frames = seen.frames.filter(({ event }) => !FRAMES_OF_THEIR_OWN.has(event));
  const stranger = frames.find((frame) => !isDocumented(frame, codes));
  if (stranger) return `an answer that nobody has documented: ${JSON.stringify(stranger)}`;
  if (seen.code !== undefined) return judgeClose(want, seen);
  if (isLimited(frames)) return undefined;
  switch (want.type) {
    case 'close':
      return `no close with ${want.code}`;
    case 'ack': {
      const finals = frames.filter(({ ack, more }) => ack === want.id && !more);
      if (finals.length !== 1) return `${finals.length} final answers`;
      return want.fails && finals[0].error === undefined ? 'a success for what has to fail' : undefined;
    }
    case 'pong':
      return frames.length === 1 && frames[0].event === '$pong' ? undefined : 'no $pong';
    case 'answer':
      return undefined;
    case 'silence':
      if (frames.length > 0) return `an answer where there is none: ${JSON.stringify(frames[0])}`;
      return want.fault === undefined || seen.faults.includes(want.fault) ? undefined : 'nothing was counted';
    default:
      return judgeException(want, frames, seen);
  }
}

function judgeException({ code }, frames, { faults, ours }) {
  if (!faults.includes(code)) return `a fault ${code} that was not counted, but [${faults.join()}]`;
  const told = frames.filter(({ event }) => event === 'exception');
  // A plain peer is told once a second; all are counted.
  if (told.length === 0 && !ours) return undefined;
  return told.length === 1 && told[0].data.code === code ? undefined : `not told ${code}`;
}

function judgeClose(want, { code, badFrames }) {
  if (want.type === 'close' && code === want.code) return undefined;
  // Of another connection under the same name, and of rates.
  if (code === 4509 || code === 4429) return undefined;
  if (code === 4500 && badFrames >= MAX_BAD_FRAMES) return undefined;
  return `closed with ${code}`;
}

function isLimited(frames) {
  return frames.some(({ event, data }) => event === 'exception' && data.code === 'rate_limited');
}

export function isDocumented({ ack, error, event, data }, codes) {
  if (error !== undefined) return isId(ack) && codes.has(error.code) && typeof error.message === 'string';
  if (ack !== undefined) return isId(ack);
  if (event === 'exception')
    return data.status === 'error' && (data.code === undefined || codes.has(data.code));
  return event === 'echoed' || event === '$pong' || event === undefined;
}

// Messages that are wrong as bytes, as JSON, as a frame or as data. Each is text, or bytes for a binary message.
import { FRAMES, SNIPPETS, TOKENS, VALUES } from './corpus.mjs';

/** One over what a message may have. */
const TOO_LONG = 65_537;

/** A class of inputs, and what makes one of it. */
export const MESSAGES = {
  bytes: (chance) => {
    const bytes = Buffer.from(chance.pick(FRAMES));
    for (let at = 1 + chance.below(4); at > 0; at--) bytes[chance.below(bytes.length)] = chance.below(256);
    return chance.below(2) === 0 ? bytes : bytes.subarray(0, chance.below(bytes.length + 1));
  },
  noise: (chance) => Buffer.from(Array.from({ length: chance.below(60) }, () => chance.below(256))),
  json: (chance) => {
    let text = chance.pick(FRAMES);
    for (let edits = 1 + chance.below(4); edits > 0; edits--) text = edited(chance, text);
    return text;
  },
  envelope: (chance) => {
    const names = ['event', 'id', 'data', 'ack', 'error', 'channel', 'type', 'more', chance.pick(TOKENS)];
    const members = names.filter(() => chance.below(3) === 0).map((name) => `${key(name)}:${value(chance)}`);
    return `{${members.join(',')}}`;
  },
  types: (chance) => retyped(chance, chance.pick(FRAMES)),
  names: (chance) => {
    const frame = JSON.parse(chance.pick(FRAMES));
    const name = chance.pick(TOKENS);
    const places = ['event', 'id', 'channel', 'clientId', 'key', 'param'];
    switch (chance.pick(places)) {
      case 'event':
        return JSON.stringify({ ...frame, event: name });
      case 'id':
        return JSON.stringify({ ...frame, id: name });
      case 'channel':
        return JSON.stringify({ event: '$subscribe', id: 'x', data: { channel: name } });
      case 'param':
        return JSON.stringify({ event: '$subscribe', id: 'x', data: { channel: `room:${name}` } });
      case 'clientId':
        return JSON.stringify({ event: '$hello', id: 'x', data: { clientId: name.padEnd(22, '_') } });
      default:
        return `{"event":"echo","id":"x","data":{${key(name)}:{${key(name)}:{"isAdmin":true}}}}`;
    }
  },
  nesting: (chance) => {
    const [open, close] = chance.pick([
      ['[', ']'],
      ['{"a":', '}'],
    ]);
    const depth = chance.pick([30, 31, 32, 33, 100, 6_000, 10_000]);
    const data = open.repeat(depth) + '1' + (chance.below(3) === 0 ? '' : close.repeat(depth));
    return `{"event":"echo","id":"deep","data":${data}}`;
  },
  bombs: (chance) =>
    chance.pick([
      '['.repeat(65_000),
      '{"a":'.repeat(13_000),
      `{"event":"echo","id":1,"data":[${'[],'.repeat(20_000)}[]]}`,
      `{"event":"echo","id":1,"data":"${'\\'.repeat(60_000)}"}`,
      `{"event":"echo","id":1,"data":"${'\\u005f'.repeat(10_000)}"}`,
      `{"event":"echo","id":1,"data":{${Array.from({ length: 5_000 }, (_, at) => `"${at}":0`).join(',')}}}`,
      `{"event":"echo","id":1,"data":${'1'.repeat(60_000)}}`,
      `{"event":"${'$'.repeat(60_000)}","id":1}`,
      `{"event":"echo","id":"${'x'.repeat(60_000)}"}`,
      `{"event":"$subscribe","id":1,"data":{"channel":"${':'.repeat(60_000)}"}}`,
      `"${'x'.repeat(TOO_LONG - 2)}"`,
    ]),
  binary: (chance) => Buffer.from(retyped(chance, chance.pick(FRAMES))),
  right: (chance) => chance.pick(FRAMES),
};

function edited(chance, text) {
  const at = chance.below(text.length + 1);
  const end = Math.min(text.length, at + chance.below(12));
  switch (chance.below(5)) {
    case 0:
      return text.slice(0, at) + text.slice(end);
    case 1:
      return text.slice(0, end) + text.slice(at);
    case 2:
      return text.slice(0, at) + chance.pick(SNIPPETS) + text.slice(at);
    case 3:
      return text.slice(0, at) + chance.pick(FRAMES).slice(chance.below(40));
    default:
      return text.slice(0, at) + chance.pick(TOKENS) + text.slice(end);
  }
}

/** Another value in one place of a frame. */
function retyped(chance, text) {
  const frame = JSON.parse(text);
  const holders = [];
  const visit = (branch) => {
    if (typeof branch !== 'object' || branch === null) return;
    for (const name of Object.keys(branch)) {
      holders.push([branch, name]);
      visit(branch[name]);
    }
  };
  visit(frame);
  const [holder, name] = chance.pick(holders);
  const mark = '\u0001here\u0001';
  holder[name] = mark;
  return JSON.stringify(frame).replace(JSON.stringify(mark), () => value(chance));
}

function value(chance) {
  switch (chance.below(4)) {
    case 0:
      return key(chance.pick(TOKENS));
    case 1:
      return key(
        chance.pick(['echo', 'order', 'strict', '$hello', '$subscribe', '$ping', '$history', 'ping']),
      );
    default:
      return chance.pick(VALUES);
  }
}

/** Also lone surrogates, which `JSON.stringify` writes as escapes. */
function key(text) {
  return JSON.stringify(text);
}

import { RawClient } from '../../support/installed-app.js';
import { exchange, framesOf, type Message, type Scenario } from './scenario.js';

/** Kinds of `ResultsGateway` that draw another number of frames than one. */
const FRAMES: Readonly<Record<string, number>> = {
  undefined: 0,
  null: 0,
  'a promise of undefined': 0,
  'a promise of null': 0,
  'several events': 2,
  'several bare values': 3,
  'a promise of an Observable': 2,
  'an Observable in later turns': 3,
  'an Observable with empty items': 2,
  'an Observable of empty values': 3,
  'an Observable that maps': 3,
  'an Observable of arrays': 2,
  'an empty Observable': 0,
  'an Observable that never ends': 2,
};

const KINDS = [
  'event and data',
  'event without data',
  'event with undefined data',
  'event with null data',
  'data before event',
  'event with more members',
  'event that is no string',
  'an ack of its own',
  'a promise of an event',
  'a promise of a promise',
  'a thenable',
  'a number',
  'a fraction',
  'not a number',
  'minus zero',
  'zero',
  'true',
  'false',
  'text',
  'an empty text',
  'odd text',
  'text that is JSON',
  'an array',
  'an empty array',
  'an empty object',
  'a nested object',
  'a record with an id',
  'a Buffer',
  'an event with a Buffer',
  'a Uint8Array',
  'an ArrayBuffer',
  'a Date',
  'an event with a Date',
  'an invalid Date',
  'a class instance',
  'an event with a class instance',
  'an object with toJSON',
  'a Map and a Set',
  'an Error as a value',
  'a WsException as a value',
  'a boxed text',
  'a generator',
  'an async generator',
  'undefined',
  'null',
  'a promise of undefined',
  'a promise of null',
  'several events',
  'several bare values',
  'a promise of an Observable',
  'an Observable from a promise',
  'an Observable in later turns',
  'an Observable with empty items',
  'an Observable of empty values',
  'an Observable that maps',
  'an Observable that waits',
  'an Observable of arrays',
  'an empty Observable',
  'an Observable that never ends',
];

/** Those that an asynchronous handler returns as well. */
const LATE_KINDS = new Set([
  'event and data',
  'a promise of an event',
  'text',
  'a Buffer',
  'a Date',
  'undefined',
  'several events',
  'a promise of an Observable',
  'an Observable in later turns',
  'an Observable that never ends',
]);

const result = (event: string, kind: string): Scenario =>
  exchange('/results', `${event} of ${kind}`, { event, data: kind }, { frames: FRAMES[kind] ?? 1 });

const RESULTS = [
  ...KINDS.map((kind) => result('result', kind)),
  ...KINDS.filter((kind) => LATE_KINDS.has(kind)).map((kind) => result('result.async', kind)),
];

const FAILED_STREAMS = [
  exchange(
    '/results',
    'an Observable that fails at once',
    { event: 'result', data: 'an Observable that fails at once' },
    { frames: 1, row: 9, framesOn11: 0 },
  ),
  exchange(
    '/results',
    'an Observable that fails half-way',
    { event: 'result', data: 'an Observable that fails half-way' },
    { frames: 3, row: 9, framesOn11: 2 },
  ),
  exchange(
    '/results',
    'an Observable that fails later',
    { event: 'result', data: 'an Observable that fails later' },
    { frames: 2, row: 9, framesOn11: 1 },
  ),
];

const message = (name: string, messages: Message | readonly Message[], frames = 1): Scenario =>
  exchange('/messages', name, messages, { frames });

const echo = (data: unknown): object => ({ event: 'echo', data });

const MESSAGES = [
  message('data of every kind', [1, 'x', null, true, [], {}, 1.5e300, { a: { b: [null] } }].map(echo), 8),
  message('odd text', echo('é 🎉 \u2028 \ud800 "q" \\ \u0000')),
  message('a number that JavaScript cannot hold', '{"event":"echo","data":12345678901234567890}'),
  message('a key twice', '{"event":"no","event":"echo","data":1,"data":2}'),
  message('escapes in names', '{"\\u0065vent":"\\u0065cho","data":"\\u00e9"}'),
  message('data before the event', '{"data":1,"event":"echo"}'),
  message('white space around', '\n\t {"event" : "echo" , "data" : 1 } \r\n'),
  message('no data', { event: 'echo' }),
  message('the kind of no data', { event: 'kind' }),
  message('the kind of null', { event: 'kind', data: null }),
  message('more members than a message has', { event: 'echo', data: 1, more: [1], type: 'x', channel: 'y' }),
  message('a binary frame', Buffer.from('{"event":"echo","data":"é"}')),
  message('binary and text in turn', [Buffer.from('{"event":"echo","data":1}'), echo(2)], 2),
  message('a method without decorators', { event: 'bare', data: { a: 1 } }),
  message('a method without decorators and no data', { event: 'bare' }),
  message('a method without parameters', { event: 'no parameters', data: 1 }),
  message('members of the data', { event: 'members', data: { a: [1], b: 2 } }),
  message('members of no data', { event: 'members' }),
  message('members of null', { event: 'members', data: null }),
  message('members of a text', { event: 'members', data: 'text' }),
  message('parameters without a decorator', { event: 'undecorated beside decorated', data: 1 }),
  message('what the handler sends itself', { event: 'sends' }, 5),
  message('two names of one method', { event: 'first method' }),
  message('two methods of one name', { event: 'taken twice' }),
  message(
    'many messages in a row',
    Array.from({ length: 200 }, (_, data) => ({ event: 'fast', data })),
    200,
  ),
  message(
    'ways of different length, all at once',
    ['fast', 'echo', 'bare', 'no parameters', 'fast', 'members'].map((event, data) => ({ event, data })),
    6,
  ),
];

/** The slow ones are let go only when the fast ones have been answered. */
const PASSING: Scenario = {
  name: '/messages: fast ones that pass slow ones',
  frames: 4,
  run: async ({ port }, frames) => {
    const client = await RawClient.open(port, '/messages');
    for (const [data, event] of ['slow', 'fast', 'slow', 'fast'].entries()) client.send({ event, data });
    await client.received(2);
    return framesOf(client, [{ event: 'release' }], frames);
  },
};

/** As in `NamesGateway`. */
const ODD_NAMES = [
  '',
  ' ',
  'a b',
  'a.b:c/d',
  'ünïcödé',
  '🎉',
  'line\nbreak',
  'quote"d',
  'null',
  '5',
  'constructor',
  'toString',
  'hasOwnProperty',
  'exception',
  'ping',
  'message',
  'close',
  'error',
  'id',
  'ack',
];

const NAMES = ODD_NAMES.map((event) =>
  exchange('/names', `an event named ${JSON.stringify(event)}`, { event, data: [event] }),
);

export const ANSWERS = [...RESULTS, ...FAILED_STREAMS, ...MESSAGES, PASSING, ...NAMES];

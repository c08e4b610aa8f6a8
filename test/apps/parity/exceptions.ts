import { exchange, type Scenario } from './scenario.js';

/** One exception, which stock Nest 11 keeps to itself. */
const exception = (path: string, name: string, message: string | object): Scenario =>
  exchange(path, name, message, { row: 9, framesOn11: 0 });

const KINDS = [
  'a WsException',
  'a WsException with an empty text',
  'a WsException with odd text',
  'a WsException with an object',
  'a WsException with an array',
  'a WsException with a status of its own',
  'a WsException subclass',
  'an HttpException',
  'a BadRequestException',
  'an Error',
  'a TypeError',
  'a text',
  'an object',
  'a number',
  'undefined',
  'null',
];

const THROWN = KINDS.flatMap((kind) =>
  ['throws', 'rejects', 'streams'].map((event) =>
    exception('/exceptions', `${event} ${kind}`, { event, data: { kind, more: [1, null] } }),
  ),
);

const CAUSES = [
  ['the pattern', { event: 'odd "event" ü', data: 1 }],
  ['no data', { event: 'echoes' }],
  ['null', { event: 'echoes', data: null }],
  ['a text', { event: 'echoes', data: 'é "q" \u2028' }],
  ['a record', { event: 'echoes', data: { deep: { list: [1] } } }],
  ['no other member of the message', { event: 'echoes', data: 1, more: 2 }],
].map(([name, message]) => exception('/exceptions', `the cause has ${name as string}`, message as object));

const REFUSED = [
  ['data that a pipe refuses', { event: 'validates', data: { text: 1 } }],
  ['nested data that a pipe refuses', { event: 'validates', data: { text: 'x', item: { count: 'x' } } }],
  ['no data for a pipe that wants some', { event: 'validates' }],
  ['a WsException of the validation', { event: 'validates.ws', data: { text: 1, item: {} } }],
  ['a parameter that a pipe refuses', { event: 'parses', data: { n: 'x' } }],
  ['a guard that says no', { event: 'guarded', data: [1] }],
  ['a guard that says no later', { event: 'guarded.later', data: [1] }],
  ['a guard that throws', { event: 'guard.throws', data: [1] }],
  ['a pipe that throws', { event: 'pipe.throws', data: [1] }],
  ['an interceptor that throws', { event: 'interceptor.throws', data: [1] }],
  ['an interceptor whose stream fails', { event: 'interceptor.fails', data: [1] }],
].map(([name, message]) => exception('/exceptions', name as string, message as object));

const ACCEPTED = [
  exchange('/exceptions', 'data that a pipe accepts', {
    event: 'validates',
    data: { text: 'x', item: { count: 1 }, more: 1 },
  }),
  exchange('/exceptions', 'a parameter that a pipe accepts', { event: 'parses', data: { n: '12' } }),
];

const filtered = (name: string, event: string, data?: unknown, frames = 1): Scenario =>
  exchange('/filters', name, { event, data }, { frames });

/** A filter sends by itself on both majors; what Nest's own filter sends is row 9. */
const FILTERS = [
  filtered('of the class, for what it catches', 'of the class', 'refused'),
  filtered('of the class, for a rejection', 'of the class', 'rejected'),
  filtered('of the class, for a stream', 'of the class', 'half-way', 2),
  exception('/filters', 'of the class, for what it does not catch', { event: 'of the class', data: 'other' }),
  filtered('of the method', 'sending', 'other'),
  filtered('of the method, for a rejection', 'sending', 'rejected'),
  filtered('of the method, for a stream', 'sending', 'half-way', 2),
  filtered('of the method, for a guard that says no', 'guarded'),
  filtered('that is named last', 'nearest', undefined, 0),
  filtered('that says nothing', 'quiet', undefined, 0),
  ...['WsException', 'refused', 'rejected'].map((data) =>
    exception('/filters', `that leaves it to its base class: ${data}`, { event: 'inheriting', data }),
  ),
  exchange(
    '/filters',
    'that leaves it to its base class: half-way',
    { event: 'inheriting', data: 'half-way' },
    { frames: 2, row: 9, framesOn11: 1 },
  ),
  exception('/filters', 'of Nest, without a cause', { event: 'without cause', data: 1 }),
  exception('/filters', 'of Nest, with a cause of its own', { event: 'own cause', data: 1 }),
  exception('/filters', 'that translates for its base class', { event: 'translating', data: 1 }),
];

export const EXCEPTIONS = [...THROWN, ...CAUSES, ...REFUSED, ...ACCEPTED, ...FILTERS];

// Frames that are right, which the inputs are made of by making them wrong.

export const FRAMES = [
  { event: 'echo', id: 'a1', data: { text: 'hi', list: [1, 2.5, null, true] } },
  { event: 'echo', id: 7, data: 'grün 😀' },
  { event: 'echo', data: [[], {}, ''] },
  { event: 'strict', id: 's1', data: { name: 'Ada', age: 36 } },
  { event: 'order', id: 'o1', data: { item: 'book', count: 2 } },
  { event: 'fails', id: 'f1', data: 1 },
  { event: 'nobody', id: 'n1', data: {} },
  { event: '$hello', id: 'h1', data: { clientId: 'mJ3vQ9tYx0aLr7KcWb5eZg', heartbeat: true } },
  { event: '$subscribe', id: 'c1', data: { channel: 'room:1', params: { a: 1 } } },
  { event: '$subscribe', id: 'c2', data: { channel: 'past:1', since: { epoch: 'e', offset: 3 } } },
  { event: '$unsubscribe', id: 'c3', data: { channel: 'room:1' } },
  { event: '$history', id: 'c4', data: { channel: 'past:1', limit: 10, reverse: true } },
  { event: '$presence', id: 'c5', data: { channel: 'room:1' } },
  { event: '$ping', id: 'p1' },
  { event: '$ping' },
  { event: '$pong' },
  { ack: 'q1', data: { any: 'answer' } },
  { ack: 'q2', error: { code: 'forbidden', message: 'no', details: [1] } },
  { type: 'ping' },
].map((frame) => JSON.stringify(frame));

/** What has broken parsers, tables and logs before. */
export const TOKENS = [
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', '$', '$$', ''],
  ...['\u0000', '\n', '\r\n', '\u2028', '\u202e', '\u001b[31m', '\ud800', '\udfff', '\ufeff', '%s', '${x}'],
  ...[
    'room:',
    ':',
    'room:{id}',
    '*',
    '../..',
    'x'.repeat(64),
    'x'.repeat(65),
    'x'.repeat(128),
    'x'.repeat(300),
  ],
];

export const VALUES = [
  ...[
    'null',
    'true',
    'false',
    '0',
    '-0',
    '-1',
    '1.5',
    '1e999',
    '9007199254740991',
    '9007199254740992',
    '1e-400',
  ],
  ...[
    '[]',
    '{}',
    '""',
    '"5"',
    '[[[[]]]]',
    '{"a":{"b":{}}}',
    '{"toString":null}',
    '{"__proto__":{"isAdmin":true}}',
  ],
  ...[
    '{"constructor":{"prototype":{"isAdmin":true}}}',
    '{"then":1}',
    '{"length":4294967296}',
    '{"event":"echo"}',
  ],
];

/** Bytes of text that JSON is made of, and some that it is not. */
export const SNIPPETS = [
  '{',
  '}',
  '[',
  ']',
  '"',
  ',',
  ':',
  '\\',
  '\\u',
  '\\ud800',
  '0',
  'e',
  '-',
  ' ',
  '\t',
  '\u0000',
];

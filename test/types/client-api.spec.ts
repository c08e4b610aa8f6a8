import { beforeAll, describe, expect, it } from 'vitest';
import { checkTypes } from '../support/docs-types.js';

const PRELUDE = `
import { ChannelsClient } from 'nestjs-channels/client';
interface Message { id: string; text: string }
interface ChatApi {
  messages: {
    'chat.send': (data: { room: string; text: string }) => { id: string };
    'chat.rooms': () => Promise<string[]>;
    'chat.find': (data?: { text: string }) => Message[];
  };
  requests: { confirm: (data: { text: string }) => boolean; where: () => Promise<{ x: number }>; pick: (data?: string[]) => string | null; stop: () => void };
  events: { notice: { text: string } };
  channels: {
    'chat:{room}': { params: { last: number }; joined: Message[]; events: { message: Message; typing: { who: string } } };
    'news': { events: { headline: string } };
  };
}
declare const client: ChannelsClient<ChatApi>;
const lobby = client.channel('chat:lobby');
export {};
`;

const RIGHT: readonly string[] = [
  "const { id } = await client.send('chat.send', { room: 'lobby', text: 'hi' }); id satisfies string;",
  "await client.send('chat.send', { room: 'lobby', text: 'hi' }, { timeoutMs: 5 });",
  "(await client.send('chat.rooms')) satisfies string[];",
  "await client.send('chat.rooms', undefined, { timeoutMs: 5 });",
  "await client.send('chat.find'); await client.send('chat.find', { text: 'x' });",
  "client.emit('chat.send', { room: 'lobby', text: 'hi' }) satisfies boolean;",
  "client.handle('confirm', ({ text }, { signal }) => text.length > 0 && !signal.aborted);",
  "client.handle('confirm', async () => true); client.handle('stop', () => undefined);",
  "client.handle('where', () => ({ x: 1 })); client.handle('where', async () => ({ x: 1 }));",
  "client.handle('pick', (names) => names?.[0] ?? null);",
  "const end: () => void = client.handle('confirm', () => true); end();",
  "new ChannelsClient('ws://a').handle('anything', (data) => { data satisfies unknown; return 1; });",
  "client.on('notice', (notice) => notice.text.length);",
  "client.on('$state', (state) => { if (state.name === 'waiting') state.delayMs satisfies number; });",
  "client.on('$error', (error) => error.code);",
  "client.on('$gap', (gap) => gap.channel);",
  "lobby.on('message', (message, publication) => { message.text.length; publication.channel satisfies string; });",
  "lobby.on('$subscribed', ({ data }) => data satisfies Message[]);",
  '(await lobby.subscribe()) satisfies Message[];',
  "client.channel('chat:lobby', { params: { last: 5 } });",
  "client.channel('news').on('headline', (text) => text.length);",
  'declare const room: string; client.channel(`chat:${room}`).on("message", (message) => message.text);',
  "for await (const { event, data } of lobby) if (event === 'typing') data.who satisfies string;",
  "const any = new ChannelsClient('ws://a'); (await any.send('anything', 1)) satisfies unknown; any.channel('x').on('y', () => undefined);",
  "const stop: () => void = client.on('notice', () => undefined); stop();",
];

/** Code, the error that the compiler has to give, and what its text has to name. */
const WRONG: readonly (readonly [what: string, code: string, error: number, names: string])[] = [
  [
    'a message that the server does not know',
    "client.send('chat.sent', { room: 'a', text: 'b' });",
    2345,
    '"chat.sent"',
  ],
  ['a message that is named by a number', 'client.send(7, {});', 2345, "'7'"],
  [
    'a payload of another type',
    "client.send('chat.send', { room: 'a', text: 5 });",
    2322,
    "'number' is not assignable to type 'string'",
  ],
  ['a payload without a field', "client.send('chat.send', { room: 'a' });", 2345, "'text' is missing"],
  [
    'a payload with a field too many',
    "client.send('chat.send', { room: 'a', text: 'b', to: 'c' });",
    2353,
    "'to' does not exist",
  ],
  ['no payload where one is needed', "client.send('chat.send');", 2554, 'Expected 2-3 arguments, but got 1'],
  ['a payload where none is taken', "client.send('chat.rooms', { room: 'a' });", 2345, "type 'undefined'"],
  [
    'an answer of another type',
    "(await client.send('chat.send', { room: 'a', text: 'b' })) satisfies { id: number };",
    1360,
    "'id' are incompatible",
  ],
  [
    'a field that the answer has not',
    "(await client.send('chat.send', { room: 'a', text: 'b' })).name;",
    2339,
    "'name' does not exist",
  ],
  [
    'an option that send has not',
    "client.send('chat.send', { room: 'a', text: 'b' }, { timeout: 5 });",
    2561,
    "'timeout' does not exist",
  ],
  ['emit of a message that the server does not know', "client.emit('chat.sent', {});", 2345, '"chat.sent"'],
  [
    'emit of a wrong payload',
    "client.emit('chat.send', { room: 1, text: 'b' });",
    2322,
    "'number' is not assignable to type 'string'",
  ],
  ['a request that the server does not make', "client.handle('confirmed', () => true);", 2345, '"confirmed"'],
  ['a message as a request', "client.handle('chat.send', () => ({ id: 'a' }));", 2345, '"chat.send"'],
  [
    'an answer of another type to a request',
    "client.handle('confirm', () => 'yes');",
    2322,
    "'string' is not assignable to type 'boolean | Promise<boolean>'",
  ],
  [
    'a promise of an answer of another type',
    "client.handle('where', async () => ({ y: 1 }));",
    2322,
    "Property 'x' is missing in type '{ y: number; }'",
  ],
  [
    'no answer to a request',
    "client.handle('confirm', () => undefined);",
    2322,
    "'undefined' is not assignable",
  ],
  [
    'a handler of other data',
    "client.handle('confirm', (data: { text: number }) => true);",
    2345,
    "'text' are incompatible",
  ],
  [
    'a field that a request has not',
    "client.handle('confirm', ({ title }) => true);",
    2339,
    "'title' does not exist",
  ],
  [
    'data that may be missing',
    "client.handle('pick', (names) => names[0] ?? null);",
    18048,
    "'names' is possibly 'undefined'",
  ],
  [
    'the data of a request that has none',
    "client.handle('where', (data) => ({ x: data.x }));",
    18048,
    "'data' is possibly 'undefined'",
  ],
  [
    'a part of the context that there is not',
    "client.handle('confirm', (data, { id }) => true);",
    2339,
    "'id' does not exist",
  ],
  ['an event that the server does not send', "client.on('notices', () => undefined);", 2345, '"notices"'],
  ['a command as an event', "client.on('$ping', () => undefined);", 2345, '"$ping"'],
  [
    'a listener of other data',
    "client.on('notice', (data: { text: number }) => data);",
    2345,
    "'text' are incompatible",
  ],
  [
    'a field that an event has not',
    "client.on('notice', ({ body }) => body);",
    2339,
    "'body' does not exist",
  ],
  [
    'a field that only another state has',
    "client.on('$state', (state) => state.delayMs);",
    2339,
    "'delayMs' does not exist",
  ],
  ['a channel that no pattern matches', "client.channel('chats:lobby');", 2345, '"chats:lobby"'],
  ['a channel of another shape', "client.channel('chat');", 2345, '"chat"'],
  ['a publication that the channel has not', "lobby.on('massage', () => undefined);", 2345, '"massage"'],
  [
    'a publication of another channel',
    "client.channel('news').on('message', () => undefined);",
    2345,
    '"message"',
  ],
  [
    'a listener of another publication',
    "lobby.on('message', (data: { who: string }) => data.who);",
    2345,
    "'who' is missing",
  ],
  [
    'a field that a publication has not',
    "lobby.on('typing', ({ text }) => text);",
    2339,
    "'text' does not exist",
  ],
  [
    'params of another type',
    "client.channel('chat:lobby', { params: { last: '5' } });",
    2322,
    "'string' is not assignable to type 'number'",
  ],
  [
    'params where none are taken',
    "client.channel('news', { params: { last: 5 } });",
    2322,
    "type 'undefined'",
  ],
  [
    'a state of another type',
    '(await lobby.subscribe()) satisfies string[];',
    1360,
    "'Message[]' does not satisfy",
  ],
  [
    'a token that is no text',
    "new ChannelsClient('ws://a', { token: 5 });",
    2322,
    "'number' is not assignable",
  ],
  [
    'an option that the client has not',
    "new ChannelsClient('ws://a', { retries: 5 });",
    2353,
    "'retries' does not exist",
  ],
  ['a server of an unknown kind', "new ChannelsClient('ws://a', { server: 'nest' });", 2322, '"nest"'],
  ['a contract that is none', "new ChannelsClient<{ messages: string }>('ws://a');", 2344, "'object'"],
];

const nameOf = (code: string): string =>
  `block ${[...RIGHT, ...WRONG.map((wrong) => wrong[1])].indexOf(code)}`;

describe('ChannelsClient<Api>', () => {
  const faults = new Map<string, string>();

  beforeAll(() => {
    const codes = [...RIGHT, ...WRONG.map((wrong) => wrong[1])];
    const blocks = codes.map((code) => ({
      document: nameOf(code),
      line: 1,
      code: PRELUDE + code,
      name: undefined,
      language: 'ts',
    }));
    for (const fault of checkTypes(blocks as unknown as Parameters<typeof checkTypes>[0])) {
      const name = fault.slice(0, fault.indexOf(':'));
      faults.set(name, [faults.get(name), fault].filter(Boolean).join('\n'));
    }
  }, 120_000);

  it.each(RIGHT)('compiles %s', (code) => {
    expect(faults.get(nameOf(code))).toBeUndefined();
  });

  it.each(WRONG)('does not compile %s', (_what, code, error, names) => {
    const fault = faults.get(nameOf(code));

    expect(fault).toContain(`TS${error}`);
    expect(fault).toContain(names);
  });

  it('names nothing else as wrong', () => {
    const wrong = new Set(WRONG.map(([, code]) => nameOf(code)));

    expect([...faults.keys()].filter((name) => !wrong.has(name))).toEqual([]);
  });
});

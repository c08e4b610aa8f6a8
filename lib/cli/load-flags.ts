/** An option of `load` as it is typed. Every one takes a value, unless it says that it is a switch. */
export interface LoadFlag {
  /** What stands behind it in the help, such as `<n>`; a switch has none. */
  readonly value?: string;
  readonly default?: string;
  readonly text: string;
}

/** Every option of `load`. docs/load.md has the same, and a test compares them. */
export const LOAD_FLAGS = {
  connections: { value: '<n>', default: '1000', text: 'connections, of one client each' },
  rooms: { value: '<n|a,b>', default: '100', text: 'rooms, by number or by name' },
  channel: { value: '<pattern>', default: 'chat:{room}', text: 'the channel of a room' },
  'per-connection': { value: '<n>', default: '1', text: 'channels that each connection joins' },
  event: { value: '<name>', text: 'event of the messages; without it none is sent' },
  data: {
    value: '<json>',
    default: '{"room":"{room}","text":"{text}"}',
    text: 'data of the messages; {text} is what each is told by',
  },
  rate: { value: '<n>', default: '10', text: 'messages a second, of all connections together' },
  duration: { value: '<seconds>', default: '30', text: 'how long messages are sent, once all are connected' },
  ramp: { value: '<n>', default: '100', text: 'connections that are opened a second' },
  token: { value: '<token>', text: 'token of every connection; others can see it in the list of processes' },
  'token-file': { value: '<path>', text: 'tokens, one a line; connections take them in turn' },
  json: { value: '<path>', text: 'writes the result to this file' },
  quiet: { text: 'no progress' },
  help: { text: 'this text' },
} as const satisfies Readonly<Record<string, LoadFlag>>;

export type LoadFlagName = keyof typeof LOAD_FLAGS;

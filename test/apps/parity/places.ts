import { RawClient } from '../../support/installed-app.js';
import { endOf, refusalOf } from './raw-upgrade.js';
import { exchange, framesOf, type Scenario } from './scenario.js';

const WHERE = { event: 'where' };

const at = (path: string): Scenario => exchange(path, 'answers where', WHERE);

const pathOf = (path: string): Scenario => exchange(path, 'the path of the server', { event: 'path' });

/** `which` is the port that is the gateway's alone, or the one that three of them share. */
const onOwnPort = (which: 0 | 1, path: string, event = 'where'): Scenario => ({
  name: `own port ${which}, ${path}: answers ${event}`,
  frames: 1,
  run: async ({ ownPorts }, frames) => {
    const client = await RawClient.open(ownPorts[which] ?? 0, path);
    return framesOf(client, [{ event }], frames);
  },
});

const PATHS = [
  at('/'),
  at('/?query'),
  at('/no-slash'),
  at('/no-slash?a=b&c'),
  at('/deep/er/path'),
  at('/deep/./er/../er/path'),
  at('/end-slash'),
  onOwnPort(0, '/'),
  onOwnPort(0, '/any/path?query'),
  onOwnPort(1, '/one'),
  onOwnPort(1, '/two'),
  onOwnPort(1, '/no-slash'),
  pathOf('/'),
  pathOf('/no-slash'),
  pathOf('/end-slash'),
  onOwnPort(0, '/', 'path'),
  onOwnPort(1, '/one', 'path'),
];

const SHARED = [
  ['an event of the first gateway', { event: 'of the first', data: 1 }, 3],
  ['an event of the second gateway', { event: 'of the second', data: 1 }, 3],
  ['an event of both', { event: 'of both' }, 4],
  ['one server for both', { event: 'servers' }, 3],
].map(([name, message, frames]) =>
  exchange('/shared', name as string, message as object, { frames: frames as number }),
);

/** An upgrade that the server of a gateway refuses: all of its answer. */
const refused = (what: string, url: string, headers?: Record<string, string>): Scenario => ({
  name: `refused: ${what}`,
  frames: 1,
  run: async ({ port }) => [await refusalOf(port, url, headers)],
});

const REFUSED = [
  refused('by verifyClient', '/verified'),
  refused('by verifyClient with a code', '/verified?code=418'),
  refused('another version of WebSocket', '/no-slash', { 'Sec-WebSocket-Version': '7' }),
  refused('no key', '/no-slash', { 'Sec-WebSocket-Key': 'short' }),
];

const OPTIONS = [
  exchange('/verified?in', 'a client that verifyClient lets in', { event: 'echo', data: 1 }),
  exchange('/small', 'a message within maxPayload', { event: 'echo', data: 1 }),
  {
    name: '/small: a message over maxPayload',
    frames: 1,
    run: async ({ port }: { port: number }) => {
      const client = await RawClient.open(port, '/small');
      client.send({ event: 'echo', data: 'x'.repeat(40) });
      return [await endOf(client)];
    },
  },
  {
    name: '/deflated: a compressed connection',
    frames: 2,
    run: async ({ port }: { port: number }) => {
      const client = await RawClient.open(port, '/deflated');
      const frames = await framesOf(client, [{ event: 'echo', data: 'x'.repeat(2_000) }], 1);
      return [...frames, client.socket.extensions];
    },
  },
  ...[[], ['first', 'second'], ['second']].map((offered): Scenario => ({
    name: `/protocols: a choice among ${offered.length} subprotocols`,
    frames: 2,
    run: async ({ port }) => {
      const client = await RawClient.open(port, '/protocols', offered);
      const frames = await framesOf(client, [{ event: 'echo', data: 1 }], 1);
      return [...frames, client.socket.protocol];
    },
  })),
] satisfies Scenario[];

export const PLACES = [...PATHS, ...SHARED, ...REFUSED, ...OPTIONS];

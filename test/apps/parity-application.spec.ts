import { beforeAll, describe, expect, it } from 'vitest';
import { installedApps, RawClient } from '../support/installed-app.js';
import { compareWithStock, FRAMEWORKS, NESTS, START_TIMEOUT_MS } from './parity/compare.js';
import { GLOBALS } from './parity/globals.js';
import { PARSERS } from './parity/parsers.js';
import { refusalOf } from './parity/raw-upgrade.js';
import { exchange, framesOf } from './parity/scenario.js';

/** What holds for a whole application: global enhancers, a parser, other listeners on its HTTP server. */
const start = installedApps('parity, whole application');

compareWithStock(start, [
  ...GLOBALS,
  ...PARSERS,
  exchange('/parser', 'a gateway beside other upgrade listeners', { event: 'echo', data: 1 }),
]);

// Without it the comparison of row 7 could be one of nothing with nothing.
describe('global guards and interceptors', () => {
  it.each(FRAMEWORKS)('apply on Nest 12 and not on Nest 11 with %s', async (framework) => {
    const transcripts: (readonly string[])[] = [];
    for (const nest of NESTS) {
      const client = await RawClient.open((await start(nest, 'channels', framework)).port, '/globals');
      await framesOf(client, [{ event: 'store' }], 1);
      transcripts.push(await framesOf(client, [{ event: 'echo', data: { barred: true } }], 3));
    }

    expect(transcripts).toEqual([
      ['"no store"', '"fence"', '{"barred":true}'],
      [
        '{"intercepted":"mounted","by":"ws store"}',
        '"fence"',
        '{"event":"exception","data":{"status":"error","message":"Forbidden resource","cause":{"pattern":"echo","data":{"barred":true}}}}',
      ],
    ]);
  });
});

const GRAPHQL = 'graphql-transport-ws';
const INIT = { type: 'connection_init' };
const SUBSCRIPTION = { id: '1', type: 'subscribe', payload: { query: 'subscription { count }' } };

/** What the server of `graphql-ws` answers to them. */
const COUNTED = [
  '{"type":"connection_ack"}',
  '{"id":"1","type":"next","payload":{"data":{"count":1}}}',
  '{"id":"1","type":"next","payload":{"data":{"count":2}}}',
  '{"id":"1","type":"next","payload":{"data":{"count":3}}}',
  '{"id":"1","type":"complete"}',
];

const RAW = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\nraw bytes';

/** A peer whose socket somebody destroys may still see its upgrade, and nothing after it. */
async function fateOf(port: number, path: string, protocols: readonly string[]): Promise<string> {
  const client = await RawClient.open(port, path, protocols).catch(() => undefined);
  if (!client) return 'no upgrade';
  client.send(INIT);
  const { code } = await client.closed;
  return `${client.frames.length} frames, ${code}`;
}

describe.each(NESTS)('other listeners to upgrades, on %s', (nest) => {
  describe.each(FRAMEWORKS)('with %s', (framework) => {
    beforeAll(async () => {
      await Promise.all([start(nest, 'stock', framework), start(nest, 'channels', framework)]);
    }, START_TIMEOUT_MS);

    it('serve GraphQL subscriptions, and the gateway beside them its clients', async () => {
      const { port } = await start(nest, 'channels', framework);
      const gateway = await RawClient.open(port, '/parser');
      const client = await RawClient.open(port, '/graphql', [GRAPHQL]);

      client.send(INIT);
      await client.received(1);
      client.send(SUBSCRIPTION);
      await client.received(COUNTED.length);
      const frames = await framesOf(gateway, [{ event: 'echo', data: 1 }], 1);

      expect(frames[0]).toContain('"echo"');
      expect(client.frames).toEqual(COUNTED);
      expect(client.socket.protocol).toBe(GRAPHQL);
    });

    it('may come after the adapter', async () => {
      const { port } = await start(nest, 'channels', framework);
      const client = await RawClient.open(port, '/echo');

      client.send('{"event":"reply"}');
      await client.received(1);

      expect(client.frames).toEqual(['echo {"event":"reply"}']);
    });

    it('may answer later, and in another protocol', async () => {
      const { port } = await start(nest, 'channels', framework);

      expect(await refusalOf(port, '/raw', { Upgrade: 'raw' })).toBe(RAW);
    });

    // The stock adapter destroys the socket of each: nothing above holds by itself.
    it('serve nobody beside the stock adapter', async () => {
      const { port } = await start(nest, 'stock', framework);

      expect(await fateOf(port, '/graphql', [GRAPHQL])).toMatch(/^(no upgrade|0 frames, 1006)$/);
      expect(await fateOf(port, '/echo', [])).toMatch(/^(no upgrade|0 frames, 1006)$/);
      expect(await refusalOf(port, '/raw', { Upgrade: 'raw' })).toBe('');
    });
  });
});

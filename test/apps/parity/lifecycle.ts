import { RawClient } from '../../support/installed-app.js';
import { endOf } from './raw-upgrade.js';
import { exchange, framesOf, type Message, type Ports, type Scenario } from './scenario.js';

let names = 0;

/** A connection that the observer below can ask about. It gets one frame as it opens. */
async function named(port: number): Promise<{ readonly client: RawClient; readonly name: string }> {
  const name = `client ${++names}`;
  const client = await RawClient.open(port, `/lifecycle?name=${encodeURIComponent(name)}`);
  await client.received(1);
  return { client, name };
}

/** What `handleDisconnect` has been told; another connection waits for it. */
async function disconnected(port: number, name: string): Promise<readonly string[]> {
  const observer = await RawClient.open(port, '/ends');
  return framesOf(observer, [{ event: 'end', data: name }], 1);
}

/** How a connection ends, as its gateway and as its client see it. */
function ending(what: string, end: (client: RawClient) => void): Scenario {
  return {
    name: `/lifecycle: handleDisconnect when ${what}`,
    frames: 2,
    row: 28,
    run: async ({ port }) => {
      const { client, name } = await named(port);
      end(client);
      const close = await endOf(client);
      return [...(await disconnected(port, name)), close];
    },
  };
}

const asks = (message: Message) => (client: RawClient) => client.send(message as object);

const ENDINGS = [
  ending('the client closes with a code', (client) => client.socket.close(4_001, 'bye')),
  ending('the client closes with 1000', (client) => client.socket.close(1_000)),
  ending('the client closes without a code', (client) => client.socket.close()),
  ending('the client vanishes', (client) => client.socket.terminate()),
  ending(
    'the handler closes with a code and a reason',
    asks({ event: 'close', data: [4_002, 'a "rëason"'] }),
  ),
  ending('the handler closes with 1000', asks({ event: 'close', data: [1_000, ''] })),
  ending('the handler closes without a code', asks({ event: 'close', data: [] })),
  ending('the handler terminates', asks({ event: 'terminate' })),
];

const connecting = (what: string, url: string, protocols: readonly string[] = []): Scenario => ({
  name: `/lifecycle: handleConnection ${what}`,
  frames: 2,
  run: async ({ port }, frames) => {
    const client = await RawClient.open(port, url, protocols, { headers: { Cookie: 'a=b', 'X-Test': 'ü' } });
    return [...(await framesOf(client, [{ event: 'name' }], frames))];
  },
});

const CONNECTING = [
  connecting('gets the client and the request', '/lifecycle?name=ann&x=%20y'),
  connecting('of a client without a query', '/lifecycle'),
  connecting('of a client with a subprotocol', '/lifecycle?name=bob', ['soap', 'wamp']),
  exchange('/lifecycle', 'afterInit gets the server, once and first', { event: 'init' }, { frames: 2 }),
];

/** Who has connected and left, in numbers: each waits for the frame that tells it. */
const CLIENTS: Scenario = {
  name: '/clients: the server knows its clients',
  frames: 5,
  run: async ({ port }: Ports) => {
    const first = await RawClient.open(port, '/clients');
    await first.received(1);
    const second = await RawClient.open(port, '/clients');
    await second.received(1);
    second.send({ event: 'broadcast', data: { to: 'all' } });
    await second.received(2);
    second.socket.close();
    await second.closed;
    await first.received(3);
    first.socket.close();
    await first.closed;
    return [...first.frames, ...second.frames];
  },
};

const ACTS = [
  { name: 'sends and then closes', event: 'closes', frames: 2 },
  { name: 'terminates', event: 'terminates', frames: 1 },
].map(({ name, event, frames }): Scenario => ({
  name: `/messages: a handler that ${name}`,
  frames,
  run: async ({ port }) => {
    const client = await RawClient.open(port, '/messages');
    client.send({ event });
    const close = await endOf(client);
    return [...client.frames, close];
  },
}));

export const LIFECYCLE = [...CONNECTING, ...ENDINGS, CLIENTS, ...ACTS];

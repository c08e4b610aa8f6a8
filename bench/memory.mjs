// node bench/memory.mjs [--connections n] [--rounds n]: heap that a connection keeps, with one gateway on the
// path and with five, for the stock adapter and for ours.
import { once } from 'node:events';
import { frame, open } from './load.mjs';
import { checkBar, kib, median, numberOf, printTable } from './numbers.mjs';
import { withServer } from './serve.mjs';

const ADAPTERS = ['platform-ws', 'channels'];
const GATEWAYS = [1, 5];
const BAR_BYTES = 4 * 1_024;
const WARM_UP_CONNECTIONS = 200;
/** Connections that are opened at the same time. */
const BATCH = 50;

const connections = numberOf('connections', 2_000);
const rounds = numberOf('rounds', 5);

const runs = new Map(ADAPTERS.flatMap((name) => GATEWAYS.map((count) => [`${name} ${count}`, []])));
for (let round = 0; round < rounds; round++) {
  for (const name of ADAPTERS)
    for (const count of GATEWAYS) runs.get(`${name} ${count}`).push(await heapOfOne(name, count));
}
print();

/** Bytes of heap for each of `connections`, all of which have been answered once. */
function heapOfOne(adapter, gateways) {
  return withServer(
    'gateways',
    async (server) => {
      // What is compiled and cached on first use belongs to no connection.
      await closeAll(await openMany(server.port, WARM_UP_CONNECTIONS), server);
      const before = await server.ask('memory');
      const sockets = await openMany(server.port, connections);
      const after = await server.ask('memory');
      for (const socket of sockets) socket.destroy();
      return (after.heapUsed - before.heapUsed) / connections;
    },
    [adapter, gateways],
  );
}

async function openMany(port, count) {
  const sockets = [];
  for (let at = 0; at < count; at += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, count - at) }, () => openAndAsk(port));
    sockets.push(...(await Promise.all(batch)));
  }
  return sockets;
}

/** The answer says that every gateway has bound the connection, and what comes with a first message is there. */
async function openAndAsk(port) {
  const socket = await open(port, () => {});
  socket.write(frame(JSON.stringify({ event: 'load.0', data: 'text' })));
  await once(socket, 'data');
  return socket;
}

async function closeAll(sockets, server) {
  for (const socket of sockets) socket.destroy();
  while ((await server.ask('connections')).count > 0);
}

function middle(name, count) {
  return median(runs.get(`${name} ${count}`));
}

function more(name) {
  return middle(name, 5) - middle(name, 1);
}

function ratio(part) {
  return (part('channels') / part('platform-ws')).toFixed(2);
}

function print() {
  console.log(`KiB of heap per connection, median of ${rounds} rounds with ${connections} connections each`);
  printTable(
    ['adapter', '1 gateway', '5 gateways', '5 more than 1'],
    [
      ...ADAPTERS.map((name) => [name, kib(middle(name, 1)), kib(middle(name, 5)), kib(more(name))]),
      [
        'channels, × platform-ws',
        ratio((name) => middle(name, 1)),
        ratio((name) => middle(name, 5)),
        ratio(more),
      ],
    ],
  );
  for (const [name, values] of runs) console.log(`${name}: ${values.map(kib).join(', ')}`);
  const ours = more('channels');
  checkBar(
    `five gateways cost ${kib(ours)} KiB more than one (at most ${kib(BAR_BYTES)})`,
    ours <= BAR_BYTES,
  );
}

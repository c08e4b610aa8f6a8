// A Nest application on nestjs-channels whose channels begin empty: `room:{name}`, and `kept:{name}` with a history.
// No rate and no limit of connections counts, and nothing is pinged: what comes and goes is what a bench has ordered.
// The argument is JSON: `port`, `listenAt` (see now()), before which nobody is let in, and options of the library.
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { ChannelsModule, ChannelsService, defineChannel, SubscribeChannel } from 'nestjs-channels';
import { Engine } from '../../dist/core/engine.js';
import { now } from '../numbers.mjs';
import { padded } from '../readers.mjs';
import { decorateMethod, gateway, serveNest } from './nest.mjs';
import { DATA, publishTurns } from './turns.mjs';

const { port, listenAt = 0, ...options } = JSON.parse(process.argv[2] ?? '{}');

class ScaleGateway {
  room() {}
  kept() {}
}
decorateMethod(ScaleGateway, 'room', SubscribeChannel('room:{name}'));
decorateMethod(ScaleGateway, 'kept', SubscribeChannel(defineChannel('kept:{name}', { history: true })));

const OFF = {
  messagesPerSecond: 0,
  bytesPerSecond: 0,
  subscriptionsPerSecond: 0,
  handshakesPerSecond: 0,
  maxConnections: 0,
  maxConnectionsPerAddress: 0,
  handshakesPerSecondPerAddress: 0,
  heartbeatIntervalMs: 0,
  heartbeatTimeoutMs: 0,
};

/** When each socket has come, and when each upgrade was answered. */
const connects = { sockets: [], upgrades: [] };

await sleep(Math.max(0, listenAt - now()));
const app = await serveNest(
  {
    imports: [
      ChannelsModule.forRoot({
        allowedOrigins: '*',
        observers: [{ opened: () => connects.upgrades.push(now()) }],
        ...OFF,
        ...options,
      }),
    ],
    providers: [gateway(ScaleGateway)],
  },
  (nest) => nest.getHttpServer().on('connection', () => connects.sockets.push(now())),
  port,
);
const channels = app.get(ChannelsService);
const engine = app.get(Engine, { strict: false });
publishTurns((channel, data) => void channels.publish(channel, 'message', data));

const orders = {
  sizes: () => ({ sizes: engine.sizes() }),
  connects: () => connects,
  /** As fast as it goes, `perTurn` in a turn, in turns to so many channels whose names begin with `prefix`. */
  flood: (order) => flood(order, (channel) => void channels.publish(channel, 'message', DATA)),
  /** The same by hand, with a `Map` that has so many channels of one subscriber. */
  floodByHand: ({ entries, ...order }) => {
    const table = new Map();
    for (let at = 0; at < entries; at++) table.set(`room:c${padded(at)}`, new Set([{ send: () => {} }]));
    return flood(order, (channel) => {
      const text = JSON.stringify({ channel, event: 'message', data: DATA });
      for (const subscriber of table.get(channel) ?? []) subscriber.send(text);
    });
  },
};

process.on('message', async ({ type, ...order }) => {
  if (orders[type]) process.send({ type, ...(await orders[type](order)) });
});

async function flood({ prefix, channels: count, total, perTurn }, publish) {
  const before = process.cpuUsage();
  for (let at = 0; at < total; at++) {
    publish(`${prefix}${at % count}`);
    if (at % perTurn === perTurn - 1) await nextTurn();
  }
  const cpu = process.cpuUsage(before);
  return { microseconds: (cpu.user + cpu.system) / total };
}

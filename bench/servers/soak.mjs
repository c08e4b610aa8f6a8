// The server of the soak: channels of every kind, and handlers and hooks that end at once or late. With the argument
// `memory` it keeps the socket of everybody who has come, with `table` a number of each: leaks made on purpose.
import { SubscribeMessage } from '@nestjs/websockets';
import { Acked, ChannelsModule, ChannelsService, defineChannel, SubscribeChannel } from 'nestjs-channels';
import { Engine } from '../../dist/core/engine.js';
import { decorateMethod, gateway, serveNest } from './nest.mjs';

/** What is kept for a time is kept for a short one, so that all of it has gone soon after the last peer. */
const SHORT_MS = 3_000;
const LATE_MS = 5;
const LATE_SHARE = 0.1;
const PUBLISH_EVERY_MS = 20;
const ROOMS = 20;

const history = { size: 10, ttlMs: SHORT_MS };
const KINDS = {
  live: {},
  kept: { history },
  present: { presence: true },
  latest: { overflow: 'latest' },
  oldest: { overflow: 'drop-oldest', history },
};

const leak = process.argv[2];
const kept = [];

class SoakGateway {
  handleConnection(socket) {
    if (leak === 'memory') kept.push(socket);
    if (leak === 'table') kept.push(1);
    return sometimesLate();
  }

  handleDisconnect() {
    return sometimesLate();
  }

  late() {
    return late();
  }
}
decorateMethod(SoakGateway, 'late', SubscribeMessage('late'));
for (const [kind, options] of Object.entries(KINDS)) {
  Object.defineProperty(SoakGateway.prototype, kind, { value: () => sometimesLate() });
  decorateMethod(SoakGateway, kind, SubscribeChannel(defineChannel(`${kind}:{room}`, options)));
}

function sometimesLate() {
  return Math.random() < LATE_SHARE ? late() : undefined;
}

function late() {
  return new Promise((resolve) => setTimeout(resolve, LATE_MS));
}

const app = await serveNest({
  imports: [
    ChannelsModule.forRoot({
      allowedOrigins: '*',
      dedupWindowMs: SHORT_MS,
      presenceGraceMs: SHORT_MS / 3,
      handlerTimeoutMs: SHORT_MS,
    }),
  ],
  providers: [gateway(SoakGateway, Acked())],
});
const engine = app.get(Engine, { strict: false });
if (leak === 'table') engine.tables.add('leak', () => kept.length);

const channels = app.get(ChannelsService);
let published = 0;
const publisher = setInterval(() => {
  const kind = Object.keys(KINDS)[published % Object.keys(KINDS).length];
  void channels.publish(`${kind}:${published++ % ROOMS}`, 'said', { published });
}, PUBLISH_EVERY_MS);

process.on('message', ({ type }) => {
  if (type === 'quiet') clearInterval(publisher);
  if (type === 'sizes') process.send({ type, sizes: engine.sizes() });
  if (type === 'handles') process.send({ type, handles: process.getActiveResourcesInfo().length });
});

// The server of the soak: sessions that end, channels of every kind, handlers and hooks that end at once or late, and
// questions to the peers. With the argument `memory` it keeps the socket of everybody who has come, with `native` bytes
// beside the heap, with `table` a number of each: leaks made on purpose. With `full` it turns peers away for no reason.
import { SubscribeMessage } from '@nestjs/websockets';
import {
  Acked,
  ChannelsModule,
  ChannelsService,
  defineChannel,
  RateLimit,
  SubscribeChannel,
  TokenHandshakeGuard,
  UseHandshakeGuards,
} from 'nestjs-channels';
import { Engine } from '../../dist/core/engine.js';
import { decorateMethod, gateway, serveNest } from './nest.mjs';

/** What is kept for a time is kept for a short one, so that all of it has gone soon after the last peer. */
const SHORT_MS = 3_000;
const LATE_MS = 5;
const LATE_SHARE = 0.1;
const PUBLISH_EVERY_MS = 20;
const ROOMS = 20;

/** Of the peers whose name begins with "brief". */
const BRIEF = 100;
const REVOKE_EVERY_MS = 100;
/** Less than what is revoked in a minute, so that room is made again and again. */
const MAX_REVOCATIONS = 50;

const ASK_SHARE = 0.05;
const NATIVE_BYTES = 65_536;

/** Caps that count, and that this crowd does not reach. */
const HIGH = 10_000;

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

/** Lets in who brings nothing, as somebody anonymous. */
class SoakGuard extends TokenHandshakeGuard {
  canActivate(context) {
    const { headers } = context.switchToHttp().getRequest();
    return headers.authorization === undefined || super.canActivate(context);
  }

  authenticate(token) {
    return token === 'forged' ? null : JSON.parse(Buffer.from(token, 'base64url').toString());
  }
}

class SoakGateway {
  handleConnection(socket) {
    if (leak === 'memory') kept.push(socket);
    if (leak === 'native') kept.push(Buffer.alloc(NATIVE_BYTES, 1));
    if (leak === 'table') kept.push(1);
    // Some peers answer, some do not, and some have gone.
    if (Math.random() < ASK_SHARE) {
      void socket.request('ask', 1, { timeoutMs: SHORT_MS }).catch(() => undefined);
    }
    return sometimesLate();
  }

  handleDisconnect() {
    return sometimesLate();
  }

  late() {
    return late();
  }

  counted() {}
}
UseHandshakeGuards(SoakGuard)(SoakGateway);
decorateMethod(SoakGateway, 'late', SubscribeMessage('late'));
decorateMethod(SoakGateway, 'counted', SubscribeMessage('counted'));
decorateMethod(SoakGateway, 'counted', RateLimit({ points: 2, perMs: SHORT_MS / 3, per: 'principal' }));
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
      maxConnections: leak === 'full' ? 1 : HIGH,
      handshakesPerSecond: HIGH,
      maxConnectionsPerAddress: HIGH,
      handshakesPerSecondPerAddress: HIGH,
      maxRevocations: MAX_REVOCATIONS,
      session: ({ user }) => (user ? { principal: user.sub, claims: { sid: user.sid } } : { principal: '' }),
    }),
  ],
  providers: [gateway(SoakGateway, Acked()), SoakGuard],
});
const engine = app.get(Engine, { strict: false });
if (leak === 'table') engine.tables.add('leak', () => kept.length);

const channels = app.get(ChannelsService);
let published = 0;
function publish() {
  const kind = Object.keys(KINDS)[published % Object.keys(KINDS).length];
  void channels.publish(`${kind}:${published++ % ROOMS}`, 'said', { published });
}

let revoked = 0;
function revoke() {
  const name = `brief-${revoked++ % BRIEF}`;
  const target = revoked % 2 ? { principal: name } : { claim: { name: 'sid', value: name } };
  void channels.revoke(target, { until: Date.now() + SHORT_MS / 3 });
}

let timers = [];
process.on('message', ({ type }) => {
  if (type === 'busy')
    timers = [setInterval(publish, PUBLISH_EVERY_MS), setInterval(revoke, REVOKE_EVERY_MS)];
  if (type === 'quiet') for (const timer of timers) clearInterval(timer);
  if (type === 'sizes') process.send({ type, sizes: engine.sizes() });
  if (type === 'handles') process.send({ type, handles: process.getActiveResourcesInfo().length });
});

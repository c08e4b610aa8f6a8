// A Nest application on nestjs-channels: one channel, and handlers without enhancers.
// The first argument is the heartbeat interval; without it the defaults hold.
import { Acked, ChannelParam, ChannelsModule, ChannelsService, SubscribeChannel } from 'nestjs-channels';
import { decorateMethod, decorateParam, gateway, publishOn, serveNest } from './nest.mjs';

class BenchGateway {
  join() {}
}
decorateMethod(BenchGateway, 'join', SubscribeChannel('room:{name}'));
decorateParam(BenchGateway, 'join', 0, ChannelParam('name'));

const [heartbeatIntervalMs] = process.argv.slice(2).map(Number);
const heartbeat = heartbeatIntervalMs
  ? { heartbeatIntervalMs, heartbeatTimeoutMs: 1.2 * heartbeatIntervalMs }
  : {};

/** Counted as everywhere, but never reached: the clients of the benches do not stop to wait. */
const RATES = {
  messagesPerSecond: 1e9,
  messageBurst: 1e9,
  bytesPerSecond: 1e9,
  byteBurst: 1e12,
  subscriptionsPerSecond: 1e9,
};

const app = await serveNest({
  imports: [ChannelsModule.forRoot({ allowedOrigins: '*', ...RATES, ...heartbeat })],
  providers: [gateway(BenchGateway, Acked())],
});
publishOn(app.get(ChannelsService));

// A Nest application on nestjs-channels: one channel, and handlers without enhancers.
// The first argument is the heartbeat interval; without it the defaults hold.
import { Acked, ChannelParam, ChannelsModule, ChannelsService, SubscribeChannel } from 'nestjs-channels';
import { decorateMethod, decorateParam, gateway, publishOn, serveNest } from './nest.mjs';
import { RATES } from './rates.mjs';

class BenchGateway {
  join() {}
}
decorateMethod(BenchGateway, 'join', SubscribeChannel('room:{name}'));
decorateParam(BenchGateway, 'join', 0, ChannelParam('name'));

const [heartbeatIntervalMs] = process.argv.slice(2).map(Number);
const heartbeat = heartbeatIntervalMs
  ? { heartbeatIntervalMs, heartbeatTimeoutMs: 1.2 * heartbeatIntervalMs }
  : {};

const app = await serveNest({
  imports: [ChannelsModule.forRoot({ allowedOrigins: '*', ...RATES, ...heartbeat })],
  providers: [gateway(BenchGateway, Acked())],
});
publishOn(app.get(ChannelsService));

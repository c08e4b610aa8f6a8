// A Nest application on nestjs-channels: one channel, and handlers without enhancers.
// Arguments: the heartbeat interval, 0 for the default one; further options as JSON.
import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { Acked, ChannelParam, ChannelsModule, ChannelsService, SubscribeChannel } from 'nestjs-channels';
import { decorateMethod, decorateParam, gateway, publishOn, serveNest } from './nest.mjs';
import { RATES } from './rates.mjs';

class BenchGateway {
  join() {}

  publish(data) {
    void channels.publish('room:1', 'message', data);
  }
}
decorateMethod(BenchGateway, 'join', SubscribeChannel('room:{name}'));
decorateParam(BenchGateway, 'join', 0, ChannelParam('name'));
decorateMethod(BenchGateway, 'publish', SubscribeMessage('publish'));
decorateParam(BenchGateway, 'publish', 0, MessageBody());

const heartbeatIntervalMs = Number(process.argv[2] ?? 0);
const options = JSON.parse(process.argv[3] ?? '{}');
const heartbeat = heartbeatIntervalMs
  ? { heartbeatIntervalMs, heartbeatTimeoutMs: 1.2 * heartbeatIntervalMs }
  : {};

const app = await serveNest({
  imports: [ChannelsModule.forRoot({ allowedOrigins: '*', ...RATES, ...heartbeat, ...options })],
  providers: [gateway(BenchGateway, Acked())],
});
const channels = app.get(ChannelsService);
publishOn(channels);

// A Nest application on nestjs-channels with its default rates: a channel, a plain handler and an acked one.
import { Acked, ChannelParam, ChannelsModule, SubscribeChannel } from 'nestjs-channels';
import { decorateMethod, decorateParam, gateway, serveNest } from './nest.mjs';

class FloodedGateway {
  join() {}
}
decorateMethod(FloodedGateway, 'join', SubscribeChannel('room:{name}'));
decorateParam(FloodedGateway, 'join', 0, ChannelParam('name'));

const isUnlimited = process.argv[2] === '0';
const off = { messagesPerSecond: 0, bytesPerSecond: 0, subscriptionsPerSecond: 0 };

await serveNest({
  imports: [ChannelsModule.forRoot({ allowedOrigins: '*', ...(isUnlimited ? off : {}) })],
  providers: [gateway(FloodedGateway, Acked())],
});

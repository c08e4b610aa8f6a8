// A node of ours on the Redis whose url is the first argument, with channels without and with a history.
import { ChannelsModule, ChannelsService, defineChannel, SubscribeChannel } from 'nestjs-channels';
import { RedisBroker } from 'nestjs-channels/redis';
import { decorateMethod, gateway, serveNest } from './nest.mjs';
import { publishOnOrder } from './orders.mjs';

class BenchGateway {
  join() {}
  follow() {}
}
decorateMethod(BenchGateway, 'join', SubscribeChannel('room:{name}'));
decorateMethod(BenchGateway, 'follow', SubscribeChannel(defineChannel('kept:{name}', { history: true })));

const broker = new RedisBroker(process.argv[2]);
const app = await serveNest({
  imports: [ChannelsModule.forRoot({ allowedOrigins: '*', broker })],
  providers: [gateway(BenchGateway)],
});
const channels = app.get(ChannelsService);
publishOnOrder((channel, data) => channels.publish(channel, 'message', data));

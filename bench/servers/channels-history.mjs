// As channels.mjs, with a history. The first argument is the port, for one that takes the place of another.
import { ChannelsModule, ChannelsService, defineChannel, SubscribeChannel } from 'nestjs-channels';
import { decorateMethod, gateway, publishOn, serveNest } from './nest.mjs';

class BenchGateway {
  join() {}
}
decorateMethod(BenchGateway, 'join', SubscribeChannel(defineChannel('room:{name}', { history: true })));

const app = await serveNest(
  { imports: [ChannelsModule.forRoot({ allowedOrigins: '*' })], providers: [gateway(BenchGateway)] },
  undefined,
  Number(process.argv[2] ?? 0),
);
publishOn(app.get(ChannelsService));

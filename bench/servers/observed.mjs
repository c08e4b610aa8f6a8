// As channels.mjs. The argument says who observes beside what the module installs: none, metrics, or an inspector that
// nobody watches.
import { Acked, ChannelsModule, ChannelsService, SubscribeChannel } from 'nestjs-channels';
import { ChannelsInspectorModule } from 'nestjs-channels/inspector';
import { ChannelsMetrics } from 'nestjs-channels/metrics';
import { decorateMethod, gateway, publishOn, serveNest } from './nest.mjs';
import { RATES } from './rates.mjs';

class BenchGateway {
  join() {}
}
decorateMethod(BenchGateway, 'join', SubscribeChannel('room:{name}'));

const [who] = process.argv.slice(2);
const observers = who === 'metrics' ? [new ChannelsMetrics()] : [];
const inspectors =
  who === 'inspector'
    ? [ChannelsInspectorModule.forRoot({ path: '/inspector', guards: [{ canActivate: () => true }] })]
    : [];

const app = await serveNest({
  imports: [ChannelsModule.forRoot({ allowedOrigins: '*', ...RATES, observers }), ...inspectors],
  providers: [gateway(BenchGateway, Acked())],
});
publishOn(app.get(ChannelsService));

// Gateways that share one path, as many as asked for: `gateways.mjs <adapter> <count>`. Hooks only count, so
// that what is measured is kept by the adapter.
import { WsAdapter } from '@nestjs/platform-ws';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { ChannelsModule } from 'nestjs-channels';
import { decorateMethod, decorateParam, serveNest } from './nest.mjs';

const [adapter, count] = process.argv.slice(2);

function createGateway(at) {
  class BenchGateway {
    connections = 0;
    handleConnection() {
      this.connections++;
    }
    handleDisconnect() {
      this.connections--;
    }
    save() {}
    load(data) {
      return { event: 'loaded', data };
    }
  }
  decorateMethod(BenchGateway, 'save', SubscribeMessage(`save.${at}`));
  decorateMethod(BenchGateway, 'load', SubscribeMessage(`load.${at}`));
  decorateParam(BenchGateway, 'load', 0, MessageBody());
  WebSocketGateway({ path: '/ws' })(BenchGateway);
  return BenchGateway;
}

const providers = Array.from({ length: Number(count) }, (_, at) => createGateway(at));
if (adapter === 'channels') {
  await serveNest({ imports: [ChannelsModule.forRoot({ allowedOrigins: '*' })], providers });
} else {
  await serveNest({ providers }, (app) => app.useWebSocketAdapter(new WsAdapter(app)));
}

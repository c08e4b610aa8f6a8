// The stock adapter for Socket.IO. What a handler returns is given to the callback of the client; only what has an
// `event` would be sent as an event of its own.
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { load } from '../rivals.mjs';
import { decorateMethod, decorateParam, serveNest } from './nest.mjs';

const { IoAdapter } = await load('@nestjs/platform-socket.io');

class BenchGateway {
  echo(data) {
    return data;
  }
}
decorateMethod(BenchGateway, 'echo', SubscribeMessage('echo'));
decorateParam(BenchGateway, 'echo', 0, MessageBody());
WebSocketGateway({ path: '/ws', transports: ['websocket'], serveClient: false })(BenchGateway);

await serveNest({ providers: [BenchGateway] }, (app) => app.useWebSocketAdapter(new IoAdapter(app)));

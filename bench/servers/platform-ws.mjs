// The stock adapter: no channels, so that a fan-out is the loop that everybody writes over it.
import { WsAdapter } from '@nestjs/platform-ws';
import { gateway, serveNest } from './nest.mjs';
import { broadcastOn } from './report.mjs';

class BenchGateway {
  constructor() {
    this.clients = new Set();
  }
  handleConnection(client) {
    this.clients.add(client);
  }
  handleDisconnect(client) {
    this.clients.delete(client);
  }
}

const app = await serveNest({ providers: [gateway(BenchGateway)] }, (nest) =>
  nest.useWebSocketAdapter(new WsAdapter(nest)),
);
broadcastOn(app.get(BenchGateway).clients);

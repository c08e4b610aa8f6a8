import {
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  WebSocketServer,
  type WsResponse,
} from '@nestjs/websockets';
import type { Server, WebSocket } from 'ws';
import { Fenced } from './fenced.js';

/** Answers with where it is. */
abstract class PlaceGateway extends Fenced {
  @WebSocketServer()
  readonly server!: Server;

  @SubscribeMessage('where')
  where(): WsResponse {
    return { event: this.constructor.name, data: this.server.clients.size > 0 };
  }

  @SubscribeMessage('path')
  path(): WsResponse {
    return { event: this.constructor.name, data: { path: this.server.path } };
  }
}

/** The test has found them free, and names them behind the set. */
const [PORT_ALONE = 0, PORT_WITH_PATHS = 0] = process.argv.slice(5).map(Number);

@WebSocketGateway()
class RootGateway extends PlaceGateway {}

@WebSocketGateway({ path: 'no-slash' })
class NoSlashGateway extends PlaceGateway {}

@WebSocketGateway({ path: '/deep/er/path' })
class DeepGateway extends PlaceGateway {}

@WebSocketGateway({ path: '/end-slash/' })
class EndSlashGateway extends PlaceGateway {}

@WebSocketGateway(PORT_ALONE)
class OwnPortGateway extends PlaceGateway {}

@WebSocketGateway(PORT_WITH_PATHS, { path: '/one' })
class OwnPortOneGateway extends PlaceGateway {}

@WebSocketGateway(PORT_WITH_PATHS, { path: '/two' })
class OwnPortTwoGateway extends PlaceGateway {}

/** The same path as on the application's own server. */
@WebSocketGateway(PORT_WITH_PATHS, { path: '/no-slash' })
class OwnPortNoSlashGateway extends PlaceGateway {}

@WebSocketGateway({ path: '/shared' })
class FirstGateway extends Fenced {
  @WebSocketServer()
  readonly server!: Server;

  handleConnection(client: WebSocket): void {
    client.send('"first connected"');
  }

  @SubscribeMessage('of the first')
  own(@MessageBody() data: unknown): WsResponse {
    return { event: 'first', data };
  }

  @SubscribeMessage('of both')
  both(): string {
    return 'first';
  }
}

@WebSocketGateway({ path: '/shared' })
class SecondGateway {
  @WebSocketServer()
  readonly server!: Server;

  constructor(private readonly first: FirstGateway) {}

  handleConnection(client: WebSocket): void {
    client.send('"second connected"');
  }

  @SubscribeMessage('of the second')
  own(@MessageBody() data: unknown): WsResponse {
    return { event: 'second', data };
  }

  @SubscribeMessage('of both')
  both(): string {
    return 'second';
  }

  @SubscribeMessage('servers')
  servers(): unknown {
    return { same: this.first.server === this.server, clients: this.server.clients.size > 0 };
  }
}

export const PLACES = [
  RootGateway,
  NoSlashGateway,
  DeepGateway,
  EndSlashGateway,
  OwnPortGateway,
  OwnPortOneGateway,
  OwnPortTwoGateway,
  OwnPortNoSlashGateway,
  FirstGateway,
  SecondGateway,
];

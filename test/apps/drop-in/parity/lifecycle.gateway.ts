import { IncomingMessage } from 'node:http';
import {
  ConnectedSocket,
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  WebSocketServer,
  type OnGatewayConnection,
  type OnGatewayDisconnect,
  type OnGatewayInit,
} from '@nestjs/websockets';
import type { Server, WebSocket } from 'ws';
import { Fenced } from './fenced.js';

/** Ends of connections, by the name that the client had in its url: for those who watch. */
const ends = new Map<string, { readonly told: Promise<unknown>; tell(value: unknown): void }>();

function endOf(name: string): { readonly told: Promise<unknown>; tell(value: unknown): void } {
  const known = ends.get(name);
  if (known) return known;
  let tell!: (value: unknown) => void;
  const told = new Promise<unknown>((resolve) => (tell = resolve));
  const end = { told, tell };
  ends.set(name, end);
  return end;
}

type Named = WebSocket & { name?: string };

@WebSocketGateway({ path: '/lifecycle' })
export class LifecycleGateway
  extends Fenced
  implements OnGatewayInit, OnGatewayConnection, OnGatewayDisconnect
{
  @WebSocketServer()
  readonly server!: Server;

  readonly journal: string[] = [];
  #initialised: unknown;
  #inits = 0;

  afterInit(...args: unknown[]): void {
    const [server] = args as [Server];
    this.#inits += 1;
    this.journal.push('afterInit');
    this.#initialised = {
      args: args.length,
      isServer: server === this.server,
      made: server.constructor.name,
      path: server.path,
      clients: server.clients.size,
      noServer: server.options.noServer,
      listeners: typeof server.on,
    };
  }

  onModuleInit(): void {
    this.journal.push('onModuleInit');
  }

  onApplicationBootstrap(): void {
    this.journal.push('onApplicationBootstrap');
  }

  handleConnection(...args: unknown[]): void {
    const [client, request] = args as [Named, IncomingMessage];
    client.name = new URL(request.url ?? '', 'ws://host').searchParams.get('name') ?? '';
    const { host: _host, 'sec-websocket-key': key, ...headers } = request.headers;
    const seen = {
      args: args.length,
      isRequest: request instanceof IncomingMessage,
      method: request.method,
      url: request.url,
      version: request.httpVersion,
      headers,
      key: typeof key,
      address: request.socket.remoteAddress,
      state: client.readyState,
      protocol: client.protocol,
      isKnown: this.server.clients.has(client),
      server: this.server.constructor.name,
    };
    client.send(JSON.stringify({ event: 'connected', data: seen }));
  }

  handleDisconnect(...args: unknown[]): void {
    const [client] = args as [Named];
    endOf(client.name ?? '').tell({
      args: args.length,
      reason: args[1],
      state: client.readyState,
      isKnown: this.server.clients.has(client),
    });
  }

  @SubscribeMessage('init')
  init(): unknown {
    return { inits: this.#inits, initialised: this.#initialised, journal: this.journal };
  }

  @SubscribeMessage('name')
  name(@ConnectedSocket() client: Named): unknown {
    return client.name;
  }

  @SubscribeMessage('close')
  close(@ConnectedSocket() client: Named, @MessageBody() [code, reason]: [number, string]): void {
    client.close(code, reason);
  }

  @SubscribeMessage('terminate')
  terminate(@ConnectedSocket() client: Named): void {
    client.terminate();
  }
}

/** Tells how connections to the other gateway have ended. */
@WebSocketGateway({ path: '/ends' })
export class EndsGateway extends Fenced {
  @SubscribeMessage('end')
  async end(@MessageBody() name: string): Promise<unknown> {
    return { event: 'ended', data: await endOf(name).told };
  }
}

/** Nobody else connects here, so that the numbers of clients are those of the test. */
@WebSocketGateway({ path: '/clients' })
export class ClientsGateway extends Fenced {
  @WebSocketServer()
  readonly server!: Server;

  handleConnection(client: WebSocket): void {
    client.send(JSON.stringify({ clients: this.server.clients.size }));
  }

  handleDisconnect(): void {
    this.broadcast({ left: this.server.clients.size });
  }

  @SubscribeMessage('broadcast')
  broadcast(@MessageBody() data: unknown): void {
    for (const client of this.server.clients)
      if (client.readyState === client.OPEN) client.send(JSON.stringify(data));
  }
}

import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable, type INestApplication, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { GraphQLInt, GraphQLObjectType, GraphQLSchema, GraphQLString } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';

const SCHEMA = new GraphQLSchema({
  query: new GraphQLObjectType({
    name: 'Query',
    fields: { hello: { type: GraphQLString, resolve: () => 'world' } },
  }),
  subscription: new GraphQLObjectType({
    name: 'Subscription',
    fields: { count: { type: GraphQLInt, subscribe: countToThree } },
  }),
});

async function* countToThree(): AsyncGenerator<{ readonly count: number }> {
  for (const count of [1, 2, 3]) {
    await nextTurn();
    yield { count };
  }
}

/** GraphQL subscriptions beside the gateways: their listener comes before that of the adapter. */
export function serveGraphql(app: INestApplication): void {
  const server = new WebSocketServer({ noServer: true });
  useServer({ schema: SCHEMA }, server);
  onUpgrade(app.getHttpServer() as Server, '/graphql', (request, socket, head) => {
    server.handleUpgrade(request, socket, head, (client) => server.emit('connection', client, request));
  });
}

/** Two more, which come behind that of the adapter: an echo, and one that takes its time and is no WebSocket. */
@Injectable()
export class LateListeners implements OnApplicationBootstrap {
  constructor(private readonly host: HttpAdapterHost) {}

  onApplicationBootstrap(): void {
    const http = this.host.httpAdapter.getHttpServer() as Server;
    const echo = new WebSocketServer({ noServer: true });
    echo.on('connection', (client) => client.on('message', (data) => client.send(`echo ${String(data)}`)));
    onUpgrade(http, '/echo', (request, socket, head) => {
      echo.handleUpgrade(request, socket, head, (client) => echo.emit('connection', client));
    });
    onUpgrade(http, '/raw', (_request, socket) => void answerLate(socket));
  }
}

async function answerLate(socket: Duplex): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await nextTurn();
  socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\nraw bytes');
}

type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

function onUpgrade(http: Server, path: string, upgrade: Upgrade): void {
  http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (request.url === path) upgrade(request, socket, head);
  });
}

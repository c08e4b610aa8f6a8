import { Inject, Injectable, Scope, UseGuards, type CanActivate } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import {
  ConnectedSocket,
  SubscribeMessage,
  WebSocketGateway,
  WebSocketServer,
  WsException,
} from '@nestjs/websockets';
import type { Server, WebSocket } from 'ws';
import { turns } from './fenced.js';

/** One for each connection. Its number says how many messages it has counted. */
@Injectable({ scope: Scope.REQUEST })
export class Visit {
  messages = 0;

  constructor(@Inject(REQUEST) readonly request: unknown) {}
}

@Injectable({ scope: Scope.REQUEST })
export class VisitGuard implements CanActivate {
  constructor(private readonly visit: Visit) {}

  canActivate(): boolean {
    this.visit.messages += 1;
    return true;
  }
}

@WebSocketGateway({ path: '/scoped' })
export class ScopedGateway {
  @WebSocketServer()
  readonly server!: Server;

  #connected = false;

  constructor(private readonly visit: Visit) {}

  handleConnection(client: WebSocket): void {
    this.#connected = true;
    client.send(JSON.stringify({ connected: this.visit.request === client }));
  }

  @SubscribeMessage('visit')
  @UseGuards(VisitGuard)
  visited(@ConnectedSocket() client: WebSocket): unknown {
    const { messages, request } = this.visit;
    const data = {
      messages,
      connected: this.#connected,
      isClient: request === client,
      hasServer: this.server.clients.has(client),
    };
    return { event: 'visit', data };
  }

  @SubscribeMessage('fails')
  fails(): never {
    throw new WsException('from a scoped gateway');
  }

  @SubscribeMessage('fence')
  async fence(): Promise<string> {
    await turns();
    return 'fence';
  }
}

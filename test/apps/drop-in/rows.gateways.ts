import { connect } from 'node:net';
import {
  Catch,
  Injectable,
  NotFoundException,
  Scope,
  UseFilters,
  type CallHandler,
  type ExceptionFilter,
  type ExecutionContext,
  type NestInterceptor,
  type OnModuleInit,
} from '@nestjs/common';
import { MessageBody, SubscribeMessage, WebSocketGateway, WsException } from '@nestjs/websockets';
import { map, type Observable } from 'rxjs';
import type { WebSocket } from 'ws';

/** Returns what the client is to get. */
@Catch()
class ReturningFilter implements ExceptionFilter {
  readonly #reply = { event: 'filtered', data: 1 };

  catch(): unknown {
    return this.#reply;
  }
}

@Catch()
class ThrowingFilter implements ExceptionFilter {
  catch(): void {
    throw new WsException('from the filter');
  }
}

@WebSocketGateway({ path: '/rows' })
export class RowsGateway {
  @SubscribeMessage('echo')
  echo(@MessageBody() data: unknown): unknown {
    return { event: 'echo', data };
  }

  @SubscribeMessage('ws exception')
  wsException(): never {
    throw new WsException('refused');
  }

  @SubscribeMessage('http exception')
  httpException(): never {
    throw new NotFoundException('no such room');
  }

  @SubscribeMessage('filtered')
  @UseFilters(ReturningFilter)
  filtered(): never {
    throw new Error('seen by the filter');
  }

  @SubscribeMessage('filter throws')
  @UseFilters(ThrowingFilter)
  filterThrows(): never {
    throw new Error('seen by the filter');
  }

  @SubscribeMessage('no JSON')
  noJson(): unknown {
    return () => 'a function has none';
  }

  @SubscribeMessage('later')
  async later(): Promise<unknown> {
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    return { event: 'later' };
  }

  /** More than what the kernel keeps for a client that does not read. */
  @SubscribeMessage('flood')
  flood(client: WebSocket): unknown {
    for (let part = 0; part < 512; part++) client.send('x'.repeat(65_536));
    return { event: 'flooded' };
  }
}

/** Reads every message itself as well. */
@WebSocketGateway({ path: '/beside' })
export class BesideGateway {
  handleConnection(client: WebSocket): void {
    client.on('message', () => client.send('"from a listener"'));
  }

  @SubscribeMessage('echo')
  echo(@MessageBody() data: unknown): unknown {
    return { event: 'echo', data };
  }
}

/** Tells everybody who is there with what arguments its hook was called. */
@WebSocketGateway({ path: '/leaving' })
export class LeavingGateway {
  readonly #clients = new Set<WebSocket>();

  handleConnection(client: WebSocket): void {
    this.#clients.add(client);
    client.send('"there"');
  }

  handleDisconnect(client: WebSocket, ...others: unknown[]): void {
    this.#clients.delete(client);
    for (const other of this.#clients) other.send(JSON.stringify({ event: 'left', data: others }));
  }
}

@WebSocketGateway({ path: '/shared' })
export class FirstGateway {
  @SubscribeMessage('both')
  both(): unknown {
    return { event: 'both', data: 'first' };
  }
}

@WebSocketGateway({ path: '/shared', maxPayload: 1_000 })
export class SecondGateway {
  @SubscribeMessage('both')
  both(): unknown {
    return { event: 'both', data: 'second' };
  }
}

@WebSocketGateway({ path: '/own-options', maxPayload: 100_000, handleProtocols: () => 'chosen' })
export class OwnOptionsGateway {
  @SubscribeMessage('length')
  length(@MessageBody() text: string): number {
    return text.length;
  }
}

/** A client is named in the end, as where a database is asked who it is. */
@WebSocketGateway({ path: '/waiting' })
export class WaitingGateway {
  #release: () => void = () => undefined;
  readonly #released = new Promise<void>((resolve) => (this.#release = resolve));

  async handleConnection(client: WebSocket & { name?: string }, request: { url?: string }): Promise<void> {
    if (request.url?.includes('releases')) return;
    await this.#released;
    client.name = 'ann';
  }

  @SubscribeMessage('who')
  who(client: WebSocket & { name?: string }): unknown {
    return { event: 'you', data: client.name ?? 'nobody' };
  }

  @SubscribeMessage('release')
  release(): unknown {
    this.#release();
    return { event: 'released' };
  }
}

@Injectable({ scope: Scope.REQUEST })
@WebSocketGateway({ path: '/scoped' })
export class ScopedGateway {
  #count = 0;

  handleConnection(client: WebSocket): void {
    client.send('"ready"');
  }

  @SubscribeMessage('count')
  count(): unknown {
    return { event: 'count', data: ++this.#count };
  }
}

/** The last argument of the process is the port that these gateways have for themselves. */
export const OWN_PORT = Number(process.argv[5] ?? 0);

@WebSocketGateway(OWN_PORT, { path: '/own', host: '127.0.0.1' })
export class OwnPortGateway {
  static knocked = 'nobody knocked';

  @SubscribeMessage('knocked')
  knocked(): unknown {
    return { event: 'knocked', data: OwnPortGateway.knocked };
  }
}

/** Knocks at the gateway's port while the application starts. */
@Injectable()
export class Knocker implements OnModuleInit {
  async onModuleInit(): Promise<void> {
    const socket = connect(OWN_PORT, '127.0.0.1');
    OwnPortGateway.knocked = await new Promise((resolve) => {
      socket.on('connect', () => resolve('let in'));
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'an error'));
    });
    socket.destroy();
  }
}

@Injectable()
export class MarkingInterceptor implements NestInterceptor {
  intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((reply) => ({ marked: reply })));
  }
}

@WebSocketGateway({ path: '/crash' })
export class CrashingGateway {
  async handleConnection(client: WebSocket, { url = '' }: { url?: string }): Promise<void> {
    if (url.endsWith('listener')) {
      client.on('message', () => {
        throw new Error('from a listener');
      });
    }
    if (url.endsWith('rejects')) await Promise.reject(new Error('from handleConnection, later'));
  }

  @SubscribeMessage('echo')
  echo(@MessageBody() data: unknown): unknown {
    return { event: 'echo', data };
  }
}

@WebSocketGateway({ path: '/crash-at-once' })
export class ThrowingGateway {
  handleConnection(_: WebSocket, { url = '' }: { url?: string }): void {
    if (url.endsWith('throws')) throw new Error('from handleConnection');
  }

  @SubscribeMessage('echo')
  echo(@MessageBody() data: unknown): unknown {
    return { event: 'echo', data };
  }
}

@WebSocketGateway({ path: '/dollar' })
export class DollarGateway {
  @SubscribeMessage('$price')
  price(): unknown {
    return { event: 'price', data: 1 };
  }
}

/** Written for Socket.IO: nothing of it says so. */
@WebSocketGateway()
export class SocketIoGateway {
  @SubscribeMessage('echo')
  echo(@MessageBody() data: unknown): unknown {
    return data;
  }
}

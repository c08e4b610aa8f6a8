import {
  Catch,
  Injectable,
  ParseIntPipe,
  Scope,
  UseFilters,
  UseGuards,
  UseInterceptors,
  type CanActivate,
  type ExceptionFilter,
  type NestInterceptor,
} from '@nestjs/common';
import { Ack, ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { Acked, ChannelSocket, MessageId, UseHandshakeGuards } from 'nestjs-channels';
import type { ChannelsTestApp, TestClient } from 'nestjs-channels/testing';
import type { Observable } from 'rxjs';
import { startApp } from './start-app.js';

export const CLIENT = 'c'.repeat(22);

/** What ran, in order; lets a test decide what a guard says and a method gives. */
@Injectable()
export class Script {
  readonly ran: string[] = [];
  allows: () => boolean | Promise<boolean> | Observable<boolean> = () => true;
  method: (data: unknown) => unknown = (data) => data;
}

@Injectable()
class ScriptGuard implements CanActivate {
  constructor(private readonly script: Script) {}

  canActivate(): ReturnType<CanActivate['canActivate']> {
    this.script.ran.push('guard');
    return this.script.allows();
  }
}

@Injectable()
class TracingInterceptor implements NestInterceptor {
  constructor(private readonly script: Script) {}

  intercept(_context: unknown, next: Parameters<NestInterceptor['intercept']>[1]): Observable<unknown> {
    this.script.ran.push('interceptor');
    return next.handle();
  }
}

@Injectable()
class TracingPipe extends ParseIntPipe {
  constructor(private readonly script: Script) {
    super();
  }

  override transform(value: string): ReturnType<ParseIntPipe['transform']> {
    this.script.ran.push('pipe');
    return super.transform(value, { type: 'body' });
  }
}

@Catch()
class AnsweringFilter implements ExceptionFilter {
  catch(error: Error): unknown {
    return { filtered: error.message };
  }
}

/** The user is the token, nobody without one. */
class TokenGuard implements CanActivate {
  canActivate(context: Parameters<CanActivate['canActivate']>[0]): boolean {
    const request = context
      .switchToHttp()
      .getRequest<{ headers: { authorization?: string }; user?: object }>();
    const { authorization } = request.headers;
    if (authorization) request.user = { id: authorization.replace('Bearer ', '') };
    return true;
  }
}

@WebSocketGateway({ path: '/ws' })
@UseHandshakeGuards(TokenGuard)
export class OnceGateway {
  constructor(private readonly script: Script) {}

  @SubscribeMessage('plain')
  @Acked()
  plain(@MessageBody() data: unknown): unknown {
    return this.#run(data);
  }

  @SubscribeMessage('guarded')
  @Acked()
  @UseGuards(ScriptGuard)
  @UseInterceptors(TracingInterceptor)
  guarded(@MessageBody(TracingPipe) data: number): unknown {
    return this.#run(data);
  }

  @SubscribeMessage('filtered')
  @Acked()
  @UseGuards(ScriptGuard)
  @UseFilters(AnsweringFilter)
  filtered(@MessageBody() data: unknown): unknown {
    return this.#run(data);
  }

  @SubscribeMessage('by hand')
  @Acked()
  byHand(@MessageBody() data: unknown, @Ack() ack: (value: unknown) => void): void {
    ack(this.#run(data));
  }

  @SubscribeMessage('with id')
  @Acked()
  withId(@MessageId() id: unknown, @ConnectedSocket() client: ChannelSocket): unknown {
    return { id, principal: client.principal };
  }

  #run(data: unknown): unknown {
    this.script.ran.push('method');
    return this.script.method(data);
  }
}

@Injectable({ scope: Scope.REQUEST })
class Own {}

@WebSocketGateway({ path: '/scoped' })
class ScopedGateway {
  constructor(
    private readonly script: Script,
    readonly own: Own,
  ) {}

  @SubscribeMessage('scoped')
  @Acked()
  scoped(@MessageBody() data: unknown): unknown {
    this.script.ran.push('method');
    return data;
  }
}

export interface OnceRig {
  readonly app: ChannelsTestApp;
  readonly script: Script;
  /** A connection of the one client, as Ada. */
  connect(path?: string): Promise<TestClient>;
}

export async function startOnce(): Promise<OnceRig> {
  const script = new Script();
  const app = await startApp({
    providers: [OnceGateway, ScopedGateway, Own, { provide: Script, useValue: script }],
    channels: { heartbeatIntervalMs: 0, heartbeatTimeoutMs: 0 },
  });
  return {
    app,
    script,
    connect: async (path = '/ws') => {
      const client = await app.connect(path, { token: 'ada' });
      await client.hello({ clientId: CLIENT });
      return client;
    },
  };
}

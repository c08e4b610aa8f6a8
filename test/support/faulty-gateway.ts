import {
  Catch,
  createParamDecorator,
  UseFilters,
  UseGuards,
  UseInterceptors,
  type CallHandler,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type NestInterceptor,
  type PipeTransform,
} from '@nestjs/common';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { OnHandshake, SubscribeChannel, UnsubscribeChannel, UseHandshakeGuards } from 'nestjs-channels';
import type { Observable } from 'rxjs';

/** What nobody may be told. */
export const SECRET = 'password=hunter2';

export type Mode = 'throws' | 'rejects';

/** Which hook fails, and how. Global to the file, because a parameter decorator has nothing injected. */
export const fault = {
  hook: '',
  mode: 'throws' as Mode,
  error: new Error(SECRET),

  raise(): never {
    throw fault.error;
  },

  /** Called by each hook: fails where it is that hook's turn. */
  at<T>(hook: string, value: T): T {
    if (fault.hook !== hook) return value;
    if (fault.mode === 'throws') fault.raise();
    return Promise.reject(fault.error) as T;
  },
};

class FaultyGuard implements CanActivate {
  constructor(private readonly hook: string) {}

  canActivate(): boolean {
    return fault.at(this.hook, true);
  }
}

class FaultyPipe implements PipeTransform {
  transform(value: unknown): unknown {
    return fault.at('pipe', value);
  }
}

class FaultyInterceptor implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return fault.at('interceptor', next.handle());
  }
}

@Catch()
class FaultyFilter implements ExceptionFilter {
  catch(error: unknown): unknown {
    fault.hook = 'filter';
    return fault.at('filter', error);
  }
}

const FaultyParam = createParamDecorator(() => fault.at('param', 'param'));

interface Emitter<Event extends string, Args extends unknown[]> {
  on(event: Event, listener: (...args: Args) => unknown): void;
}

/** A gateway with every hook that there is. */
@WebSocketGateway({ path: '/ws' })
@UseHandshakeGuards(new FaultyGuard('handshake guard'))
export class FaultyGateway {
  afterInit(server: Emitter<'connection', [Emitter<'message', []>]>): void {
    server.on('connection', (socket) => {
      socket.on('message', () => fault.at('message listener', undefined));
      fault.at('connection listener', undefined);
    });
  }

  @OnHandshake()
  onHandshake(): unknown {
    return fault.at('@OnHandshake', {});
  }

  handleConnection(): unknown {
    return fault.at('handleConnection', undefined);
  }

  handleDisconnect(): unknown {
    return fault.at('handleDisconnect', undefined);
  }

  @SubscribeMessage('run')
  @UseGuards(new FaultyGuard('guard'))
  @UseInterceptors(new FaultyInterceptor())
  run(@MessageBody(new FaultyPipe()) data: unknown, @FaultyParam() _param: unknown): unknown {
    return fault.at('handler', data);
  }

  @SubscribeMessage('run.filtered')
  @UseFilters(new FaultyFilter())
  filtered(@MessageBody() data: unknown): unknown {
    return fault.at('filtered handler', data);
  }

  @SubscribeChannel('room:{id}')
  join(): unknown {
    return fault.at('@SubscribeChannel', 'joined');
  }

  @UnsubscribeChannel('room:{id}')
  leave(): unknown {
    return fault.at('@UnsubscribeChannel', undefined);
  }
}

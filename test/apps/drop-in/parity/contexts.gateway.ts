import {
  createParamDecorator,
  UseGuards,
  UseInterceptors,
  type CallHandler,
  type ExecutionContext,
  type PipeTransform,
} from '@nestjs/common';
import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import type { Observable } from 'rxjs';
import type { WebSocket } from 'ws';
import { Fenced } from './fenced.js';

/** A socket on which somebody left notes. */
type Noted = WebSocket & { notes?: unknown[]; getPattern?: unknown };

function describe(where: string, context: ExecutionContext): unknown {
  const ws = context.switchToWs();
  const client = ws.getClient<Noted>();
  return {
    where,
    type: context.getType(),
    class: context.getClass().name,
    handler: context.getHandler().name,
    data: ws.getData<unknown>(),
    pattern: ws.getPattern(),
    state: client.readyState,
    patternOfClient: typeof client.getPattern,
    first: context.getArgByIndex(0) === client,
    second: context.getArgByIndex<unknown>(1),
    third: context.getArgByIndex<unknown>(2),
  };
}

const User = createParamDecorator((property: string | undefined, context: ExecutionContext) => {
  const user = { name: 'ann', context: describe('decorator', context) };
  return property === undefined ? user : user[property as keyof typeof user];
});

const Later = createParamDecorator(async (_data: unknown, context: ExecutionContext) =>
  Promise.resolve(context.switchToWs().getPattern()),
);

const Args = createParamDecorator((_data: unknown, context: ExecutionContext) =>
  context.getArgs().map((arg: unknown) => (typeof arg === 'object' ? 'object' : arg)),
);

const shouting: PipeTransform = { transform: (value: string) => value.toUpperCase() };

const noting = {
  canActivate(context: ExecutionContext): boolean {
    context.switchToWs().getClient<Noted>().notes = [describe('guard', context)];
    return true;
  },
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    context.switchToWs().getClient<Noted>().notes?.push(describe('interceptor', context));
    return next.handle();
  },
};

@WebSocketGateway({ path: '/contexts' })
export class ContextsGateway extends Fenced {
  @SubscribeMessage('contexts')
  @UseGuards(noting)
  @UseInterceptors(noting)
  contexts(@ConnectedSocket() client: Noted): unknown {
    return { event: 'contexts', data: client.notes };
  }

  @SubscribeMessage('odd pattern ü "x"')
  @UseGuards(noting)
  oddPattern(@ConnectedSocket() client: Noted): unknown {
    return client.notes;
  }

  @SubscribeMessage('user')
  user(@User() user: unknown): unknown {
    return user;
  }

  @SubscribeMessage('user.name')
  userName(@User('name', shouting) name: string, @MessageBody('a') a: unknown): unknown {
    return { name, a };
  }

  @SubscribeMessage('later')
  later(@Later() pattern: unknown): unknown {
    return pattern;
  }

  @SubscribeMessage('args')
  args(@Args() args: unknown): unknown {
    return args;
  }

  @SubscribeMessage('client')
  client(@ConnectedSocket() client: Noted): unknown {
    return {
      getPattern: typeof client.getPattern,
      send: typeof client.send,
      on: typeof client.on,
      addEventListener: typeof client.addEventListener,
      protocol: client.protocol,
      url: client.url,
      binaryType: client.binaryType,
      bufferedAmount: client.bufferedAmount,
      extensions: client.extensions,
      isPaused: client.isPaused,
      open: client.OPEN,
      tag: Object.prototype.toString.call(client),
    };
  }
}

import {
  Catch,
  ValidationPipe,
  type CallHandler,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type NestInterceptor,
  type Provider,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { ClsModule, ClsService } from 'nestjs-cls';
import { map, type Observable } from 'rxjs';
import { Draft } from './exceptions.gateway.js';
import { Fenced } from './fenced.js';

/** A class, so that its `ValidationPipe` leaves the rest of the gateway alone. */
class GlobalGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return context.switchToWs().getData<{ barred?: boolean } | undefined>()?.barred !== true;
  }
}

class GlobalInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const by = `${context.getType()} ${context.switchToWs().getPattern()}`;
    return next.handle().pipe(map((value) => (value === 'fence' ? value : { intercepted: value, by })));
  }
}

/** Never runs for messages, on either major. */
@Catch()
class GlobalFilter implements ExceptionFilter {
  catch(): string {
    return 'by the global filter';
  }
}

export const GLOBALS: Provider[] = [
  { provide: APP_GUARD, useClass: GlobalGuard },
  { provide: APP_PIPE, useValue: new ValidationPipe({ transform: true }) },
  { provide: APP_INTERCEPTOR, useClass: GlobalInterceptor },
  { provide: APP_FILTER, useClass: GlobalFilter },
];

/** Sets a store up for every message by a global interceptor: on Nest 12 only. */
export const MOUNTED_CLS = ClsModule.forRoot({
  global: true,
  interceptor: { mount: true, generateId: true, idGenerator: () => 'mounted' },
});

@WebSocketGateway({ path: '/globals' })
export class GlobalsGateway extends Fenced {
  constructor(private readonly cls: ClsService) {
    super();
  }

  @SubscribeMessage('echo')
  echo(@MessageBody() data: unknown): unknown {
    return data;
  }

  @SubscribeMessage('draft')
  draft(@MessageBody() draft: Draft): unknown {
    return { draft, isDraft: draft instanceof Draft };
  }

  @SubscribeMessage('store')
  store(): unknown {
    return this.cls.isActive() ? this.cls.getId() : 'no store';
  }
}

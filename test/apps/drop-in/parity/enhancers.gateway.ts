import {
  DefaultValuePipe,
  Injectable,
  ParseArrayPipe,
  ParseIntPipe,
  SetMetadata,
  UseGuards,
  UseInterceptors,
  UsePipes,
  ValidationPipe,
  type ArgumentMetadata,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type NestInterceptor,
  type PipeTransform,
  type Type,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { Type as As } from 'class-transformer';
import { IsInt, Min } from 'class-validator';
import { catchError, concat, map, mergeMap, of, tap, toArray, type Observable } from 'rxjs';
import type { WebSocket } from 'ws';
import { Fenced, turns } from './fenced.js';

/** What the enhancers of a message have done, in order; the message itself carries it. */
interface Journal {
  readonly journal: string[];
}

function note(data: unknown, entry: string): void {
  (data as Partial<Journal> | undefined)?.journal?.push(entry);
}

function guard(name: string): Type<CanActivate> {
  class NotingGuard implements CanActivate {
    async canActivate(context: ExecutionContext): Promise<boolean> {
      await turns(1);
      note(context.switchToWs().getData(), `guard of the ${name}`);
      return true;
    }
  }
  return NotingGuard;
}

function interceptor(name: string): Type<NestInterceptor> {
  class NotingInterceptor implements NestInterceptor {
    intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
      const data: unknown = context.switchToWs().getData();
      note(data, `before, of the ${name}`);
      return next.handle().pipe(tap(() => note(data, `after, of the ${name}`)));
    }
  }
  return NotingInterceptor;
}

function pipe(name: string): Type<PipeTransform> {
  class NotingPipe implements PipeTransform {
    transform(value: unknown, { type, metatype, data }: ArgumentMetadata): unknown {
      if (type !== 'custom') note(value, `pipe of the ${name}: ${type}, ${metatype?.name}, ${data}`);
      return value;
    }
  }
  return NotingPipe;
}

@Injectable()
class RolesGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    const role = this.reflector.get<string>('role', context.getHandler());
    return role === context.switchToWs().getData<{ role: string }>().role;
  }
}

class TypesPipe implements PipeTransform {
  transform(value: unknown, { type, metatype, data }: ArgumentMetadata): unknown {
    return `${type} ${metatype?.name} ${data} ${typeof value}`;
  }
}

class Range {
  @IsInt()
  @Min(0)
  @As(() => Number)
  from!: number;
}

const wrapping: NestInterceptor = {
  intercept: (_context, next) => next.handle().pipe(map((value) => ({ event: 'wrapped', data: value }))),
};
const adding: NestInterceptor = {
  intercept: (_context, next) => concat(of('before'), next.handle(), of('after')),
};
const gathering: NestInterceptor = { intercept: (_context, next) => next.handle().pipe(toArray()) };
const answering: NestInterceptor = { intercept: () => of('instead') };
const silencing: NestInterceptor = {
  intercept: (_context, next) => next.handle().pipe(mergeMap(() => [])),
};
const rescuing: NestInterceptor = {
  intercept: (_context, next) =>
    next.handle().pipe(catchError((error: Error) => of({ event: 'rescued', data: error.message }))),
};
const delaying: NestInterceptor = {
  intercept: async (_context, next) => {
    await turns(2);
    return next.handle();
  },
};
const changing: NestInterceptor = {
  intercept: (context, next) => {
    (context.getArgs() as unknown[])[1] = { changed: true };
    return next.handle();
  },
};

@UseGuards(guard('class'))
@UseInterceptors(interceptor('class'))
@UsePipes(pipe('class'))
@WebSocketGateway({ path: '/enhancers' })
export class EnhancersGateway extends Fenced {
  @SubscribeMessage('order')
  @UseGuards(guard('method'), guard('method, second'))
  @UseInterceptors(interceptor('method'), interceptor('method, second'))
  @UsePipes(pipe('method'), pipe('method, second'))
  order(@MessageBody(pipe('parameter')) data: Journal): Journal {
    note(data, 'handler');
    return data;
  }

  @SubscribeMessage('order of an Observable')
  @UseInterceptors(interceptor('method'))
  orderOfItems(@MessageBody() data: Journal): Observable<unknown> {
    return of(1, 2).pipe(map(() => [...data.journal]));
  }

  @SubscribeMessage('roles')
  @SetMetadata('role', 'admin')
  @UseGuards(RolesGuard)
  roles(): string {
    return 'let in';
  }

  @SubscribeMessage('guard.observable')
  @UseGuards({ canActivate: () => of(true) })
  guardObservable(): string {
    return 'let in';
  }

  @SubscribeMessage('wrapped')
  @UseInterceptors(wrapping)
  wrapped(@MessageBody() data: unknown): unknown {
    return data;
  }

  @SubscribeMessage('wrapped items')
  @UseInterceptors(wrapping, adding)
  wrappedItems(): Observable<number> {
    return of(1, 2);
  }

  @SubscribeMessage('gathered')
  @UseInterceptors(gathering)
  gathered(): Observable<number> {
    return of(1, 2, 3);
  }

  @SubscribeMessage('answered')
  @UseInterceptors(answering)
  answered(): never {
    throw new Error('must not run');
  }

  @SubscribeMessage('silenced')
  @UseInterceptors(silencing)
  silenced(): string {
    return 'never sent';
  }

  @SubscribeMessage('rescued')
  @UseInterceptors(rescuing)
  rescued(): never {
    throw new Error('rescue me');
  }

  @SubscribeMessage('delayed')
  @UseInterceptors(delaying)
  async delayed(@MessageBody() data: unknown): Promise<unknown> {
    await turns(1);
    return { event: 'delayed', data };
  }

  @SubscribeMessage('changed')
  @UseInterceptors(changing)
  changed(@MessageBody() data: unknown): unknown {
    return data;
  }

  @SubscribeMessage('types')
  @UsePipes(TypesPipe)
  types(
    @MessageBody() data: Range,
    @MessageBody('from') from: number,
    @ConnectedSocket() client: WebSocket,
  ): unknown {
    return [data, from, client];
  }

  @SubscribeMessage('transformed')
  @UsePipes(new ValidationPipe({ transform: true, whitelist: true }))
  transformed(@MessageBody() range: Range): unknown {
    return { range, isRange: range instanceof Range };
  }

  @SubscribeMessage('parameters')
  parameters(
    @MessageBody('n', ParseIntPipe) n: number,
    @MessageBody('list', new ParseArrayPipe({ items: Number, separator: ',' })) list: number[],
    @MessageBody('unset', new DefaultValuePipe('default')) unset: string,
  ): unknown {
    return { n, list, unset };
  }
}

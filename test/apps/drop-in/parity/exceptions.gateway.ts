import {
  BadRequestException,
  HttpException,
  ParseIntPipe,
  UseGuards,
  UseInterceptors,
  UsePipes,
  ValidationPipe,
  type CallHandler,
} from '@nestjs/common';
import { MessageBody, SubscribeMessage, WebSocketGateway, WsException } from '@nestjs/websockets';
import { Type } from 'class-transformer';
import { IsInt, IsString, ValidateNested } from 'class-validator';
import { throwError, type Observable } from 'rxjs';
import { Fenced, turns } from './fenced.js';

class Item {
  @IsInt()
  count!: number;
}

export class Draft {
  @IsString()
  text!: string;

  @ValidateNested()
  @Type(() => Item)
  item?: Item;
}

class OwnException extends WsException {
  constructor() {
    super({ status: 'own', message: 'of a class of its own', extra: [1] });
  }
}

const FAILURES: Readonly<Record<string, () => unknown>> = {
  'a WsException': () => new WsException('no'),
  'a WsException with an empty text': () => new WsException(''),
  'a WsException with odd text': () => new WsException('a "b" \n 🎉 \u2028'),
  'a WsException with an object': () => new WsException({ code: 'E1', why: { deep: [1] } }),
  'a WsException with an array': () => new WsException(['a', 'b']),
  'a WsException with a status of its own': () => new WsException({ status: 'warning', message: 'careful' }),
  'a WsException subclass': () => new OwnException(),
  'an HttpException': () => new HttpException('secret', 404),
  'a BadRequestException': () => new BadRequestException(['secret']),
  'an Error': () => new Error('secret'),
  'a TypeError': () => new TypeError('secret'),
  'a text': () => 'secret',
  'an object': () => ({ message: 'secret', status: 'x' }),
  'a number': () => 5,
  undefined: () => undefined,
  null: () => null,
};

class Failing {
  canActivate(): never {
    throw new WsException('from the guard');
  }

  transform(): never {
    throw new WsException('from the pipe');
  }

  intercept(): never {
    throw new WsException('from the interceptor');
  }
}

class FailingAfter {
  intercept(_context: unknown, next: CallHandler): Observable<unknown> {
    next.handle().subscribe();
    return throwError(() => new WsException('from the stream of the interceptor'));
  }
}

@WebSocketGateway({ path: '/exceptions' })
export class ExceptionsGateway extends Fenced {
  @SubscribeMessage('throws')
  throws(@MessageBody() { kind }: { kind: string }): never {
    throw failure(kind);
  }

  @SubscribeMessage('rejects')
  async rejects(@MessageBody() { kind }: { kind: string }): Promise<never> {
    await turns(1);
    throw failure(kind);
  }

  @SubscribeMessage('streams')
  streams(@MessageBody() { kind }: { kind: string }): Observable<never> {
    return throwError(() => failure(kind));
  }

  @SubscribeMessage('odd "event" ü')
  oddEvent(): never {
    throw new WsException('echoes the pattern');
  }

  @SubscribeMessage('echoes')
  echoes(): never {
    throw new WsException('echoes the data');
  }

  @SubscribeMessage('validates')
  @UsePipes(ValidationPipe)
  validates(@MessageBody() draft: Draft): Draft {
    return draft;
  }

  @SubscribeMessage('validates.ws')
  @UsePipes(new ValidationPipe({ exceptionFactory: (errors) => new WsException(errors) }))
  validatesWithFactory(@MessageBody() draft: Draft): Draft {
    return draft;
  }

  @SubscribeMessage('parses')
  parses(@MessageBody('n', ParseIntPipe) n: number): number {
    return n;
  }

  @SubscribeMessage('guarded')
  @UseGuards({ canActivate: () => false })
  guarded(): string {
    return 'never';
  }

  @SubscribeMessage('guarded.later')
  @UseGuards({ canActivate: () => turns(1).then(() => false) })
  guardedLater(): string {
    return 'never';
  }

  @SubscribeMessage('guard.throws')
  @UseGuards(Failing)
  guardThrows(): string {
    return 'never';
  }

  @SubscribeMessage('pipe.throws')
  @UsePipes(Failing)
  pipeThrows(@MessageBody() _data: unknown): string {
    return 'never';
  }

  @SubscribeMessage('interceptor.throws')
  @UseInterceptors(Failing)
  interceptorThrows(): string {
    return 'never';
  }

  @SubscribeMessage('interceptor.fails')
  @UseInterceptors(FailingAfter)
  interceptorFails(): string {
    return 'never';
  }
}

function failure(kind: string): unknown {
  const make = FAILURES[kind];
  return make === undefined ? new WsException(`There is no failure "${kind}".`) : make();
}

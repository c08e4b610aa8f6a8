import {
  Catch,
  createParamDecorator,
  Headers,
  Inject,
  Injectable,
  Ip,
  Param,
  Query,
  Req,
  Res,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
  type CallHandler,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type NestInterceptor,
  type PipeTransform,
} from '@nestjs/common';
import {
  Ack,
  ConnectedSocket,
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  WsException,
} from '@nestjs/websockets';
import { map, type Observable } from 'rxjs';

/** What enhancers need: one that Nest has not made has none. */
@Injectable()
export class Dependency {}

@Injectable()
class Injected {
  constructor(@Inject(Dependency) readonly dependency: Dependency) {}
}

export class ClassGuard extends Injected implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

export class MethodGuard extends ClassGuard {}

export class GlobalGuard extends ClassGuard {}

export class SuffixInterceptor extends Injected implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((value) => `${String(value)} intercepted`));
  }
}

export class TestPipe extends Injected implements PipeTransform {
  transform(value: unknown): unknown {
    return value;
  }
}

@Catch(WsException)
export class TestFilter extends Injected implements ExceptionFilter {
  catch(): string {
    return 'filtered';
  }
}

const Custom = createParamDecorator((data: string, context: ExecutionContext) => [data, context.getArgs()]);

/** A gateway with one of each decorator whose traces the library reads. */
@WebSocketGateway(81, { path: '/ws' })
@UseGuards(ClassGuard)
export class DecoratedGateway {
  @SubscribeMessage('event')
  @UseGuards(MethodGuard)
  @UseInterceptors(SuffixInterceptor)
  @UsePipes(TestPipe)
  @UseFilters(TestFilter)
  handle(
    @ConnectedSocket() _client: unknown,
    @MessageBody('text') _text: string,
    @Ack() _ack: unknown,
  ): void {}

  custom(@Custom('of the decorator') _value: unknown): void {}

  plain(): void {}

  /** As a handshake method may be written. */
  handshake(
    @Req() _request: unknown,
    @Res() _response: unknown,
    @Query('q') _query: unknown,
    @Param('p') _param: unknown,
    @Headers('h') _header: unknown,
    @Ip() _ip: unknown,
  ): void {}
}

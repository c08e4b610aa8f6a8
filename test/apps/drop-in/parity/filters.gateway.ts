import { Catch, UseFilters, UseGuards, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import {
  BaseWsExceptionFilter,
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  WsException,
} from '@nestjs/websockets';
import { concat, of, throwError, type Observable } from 'rxjs';
import type { WebSocket } from 'ws';
import { Fenced } from './fenced.js';

class Refused extends Error {}

/** As the documentation of Nest shows it for native sockets: it sends by itself. */
@Catch()
class SendingFilter implements ExceptionFilter {
  catch(error: Error, host: ArgumentsHost): void {
    const ws = host.switchToWs();
    const seen = {
      error: error.message,
      data: ws.getData(),
      pattern: ws.getPattern(),
      type: host.getType(),
      state: ws.getClient<WebSocket>().readyState,
    };
    ws.getClient<WebSocket>().send(JSON.stringify({ event: 'filtered', data: seen }));
  }
}

@Catch(Refused)
class RefusedFilter extends SendingFilter {}

@Catch()
class ReturningFilter implements ExceptionFilter {
  catch({ message }: Error): unknown {
    return { event: 'returned', data: message };
  }
}

@Catch()
class QuietFilter implements ExceptionFilter {
  catch(): void {}
}

/** The usual way to add something: log, then let Nest answer. */
@Catch()
class InheritingFilter extends BaseWsExceptionFilter {
  override catch(exception: unknown, host: ArgumentsHost): void {
    // oxlint-disable-next-line promise/valid-params -- a filter's `catch` is no promise's
    super.catch(exception as Error, host);
  }
}

@Catch(Refused)
class TranslatingFilter extends BaseWsExceptionFilter {
  override catch(exception: Refused, host: ArgumentsHost): void {
    // oxlint-disable-next-line promise/valid-params -- as above
    super.catch(new WsException({ translated: exception.message }) as never, host);
  }
}

@UseFilters(RefusedFilter)
@WebSocketGateway({ path: '/filters' })
export class FiltersGateway extends Fenced {
  @SubscribeMessage('of the class')
  ofTheClass(@MessageBody() kind: string): unknown {
    return fail(kind);
  }

  @SubscribeMessage('sending')
  @UseFilters(SendingFilter)
  sending(@MessageBody() kind: string): unknown {
    return fail(kind);
  }

  @SubscribeMessage('guarded')
  @UseFilters(SendingFilter)
  @UseGuards({ canActivate: () => false })
  guarded(): string {
    return 'never';
  }

  @SubscribeMessage('nearest')
  @UseFilters(SendingFilter, QuietFilter)
  nearest(): never {
    throw new Refused('nearest');
  }

  @SubscribeMessage('quiet')
  @UseFilters(QuietFilter)
  quiet(): never {
    throw new Refused('never told');
  }

  @SubscribeMessage('returning')
  @UseFilters(ReturningFilter)
  returning(): never {
    throw new Refused('by the filter');
  }

  @SubscribeMessage('inheriting')
  @UseFilters(InheritingFilter)
  inheriting(@MessageBody() kind: string): unknown {
    return fail(kind);
  }

  @SubscribeMessage('without cause')
  @UseFilters(new BaseWsExceptionFilter({ includeCause: false }))
  withoutCause(): never {
    throw new WsException('no cause');
  }

  @SubscribeMessage('own cause')
  @UseFilters(
    new BaseWsExceptionFilter({ causeFactory: (pattern, data) => ({ [pattern]: [data] }) as never }),
  )
  ownCause(): never {
    throw new WsException('own cause');
  }

  @SubscribeMessage('translating')
  @UseFilters(TranslatingFilter)
  translating(): never {
    throw new Refused('translated');
  }
}

function fail(kind: string): Observable<unknown> | Promise<unknown> {
  if (kind === 'rejected') return Promise.reject(new Refused(kind));
  if (kind === 'half-way')
    return concat(
      of('an item'),
      throwError(() => new Refused(kind)),
    );
  if (kind === 'WsException') throw new WsException(kind);
  throw kind === 'other' ? new Error(kind) : new Refused(kind);
}

import {
  Catch,
  HttpException,
  UseFilters,
  UseGuards,
  UseInterceptors,
  type ArgumentsHost,
  type CallHandler,
  type ExceptionFilter,
  type ExecutionContext,
  type INestApplication,
  type NestInterceptor,
} from '@nestjs/common';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import type { TestClient } from 'nestjs-channels/testing';
import { of, throwError, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { startApp } from '../support/start-app.js';

class Refused extends Error {}

@Catch(Refused)
class RefusedFilter implements ExceptionFilter {
  catch({ message }: Refused, host: ArgumentsHost): unknown {
    const { text } = host.switchToWs().getData<{ text: string }>();
    return { event: 'refused', data: { text, why: message, pattern: host.switchToWs().getPattern() } };
  }
}

@Catch()
class QuietFilter implements ExceptionFilter {
  catch(): void {}
}

@Catch()
class AsyncFilter implements ExceptionFilter {
  catch({ message }: Error): Promise<string> {
    return Promise.resolve(`filtered ${message}`);
  }
}

@Catch()
class ThrowingFilter implements ExceptionFilter {
  catch(): never {
    throw new HttpException('from the filter', 409);
  }
}

class PassingInterceptor implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle();
  }
}

const refusing = { canActivate: () => of(false) };

@WebSocketGateway({ path: '/ws' })
class FilteredGateway {
  @SubscribeMessage('filtered')
  @UseFilters(RefusedFilter)
  filtered(@MessageBody() { kind }: { kind: string }): unknown {
    if (kind === 'stream') return throwError(() => new Refused(kind));
    if (kind === 'promise') return Promise.reject(new Refused(kind));
    throw kind === 'other' ? new HttpException('another', 403) : new Refused(kind);
  }

  @SubscribeMessage('filtered.intercepted')
  @UseFilters(RefusedFilter)
  @UseInterceptors(PassingInterceptor)
  intercepted(): never {
    throw new Refused('behind an interceptor');
  }

  @SubscribeMessage('filtered.guard')
  @UseFilters(AsyncFilter)
  @UseGuards(refusing)
  guarded(): string {
    return 'never';
  }

  @SubscribeMessage('filtered.quiet')
  @UseFilters(QuietFilter)
  quiet(): never {
    throw new Refused('never told');
  }

  @SubscribeMessage('filtered.nearest')
  @UseFilters(RefusedFilter, AsyncFilter)
  nearest(): never {
    throw new Refused('once');
  }

  @SubscribeMessage('filtered.throws')
  @UseFilters(ThrowingFilter)
  throws(): never {
    throw new Refused('never told');
  }

  @SubscribeMessage('fence')
  fence(): void {}
}

async function start(configure?: (nest: INestApplication) => void): Promise<TestClient> {
  const app = await startApp({ providers: [FilteredGateway], configure });
  return app.connect('/ws');
}

const KINDS = ['thrown', 'promise', 'stream'];

describe('a local filter', () => {
  it.each(KINDS)('answers an id with what it returns: %s', async (kind) => {
    const client = await start();

    client.send({ event: 'filtered', data: { kind, text: 'hi' }, id: 1 });
    const answer = await client.waitFor({ ack: 1 });

    expect(answer).toMatchObject({ data: { text: 'hi', why: kind, pattern: 'filtered' } });
    expect(answer).not.toHaveProperty('error');
  });

  it.each(KINDS)('replies to a message without an id with what it returns: %s', async (kind) => {
    const client = await start();

    client.send({ event: 'filtered', data: { kind, text: 'hi' } });

    const data = { text: 'hi', why: kind, pattern: 'filtered' };
    expect(await client.next()).toEqual({ event: 'refused', data });
  });

  // Behind an interceptor every failure is that of a stream; those once went past the filters.
  it('sees what is thrown behind an interceptor', async () => {
    const client = await start();

    const answer = await client.request('filtered.intercepted', { text: 'hi' });

    expect(answer.data).toMatchObject({ text: 'hi', why: 'behind an interceptor' });
    expect(answer).not.toHaveProperty('more');
  });

  it('sees what is thrown behind a global interceptor', async () => {
    const client = await start((nest) => nest.useGlobalInterceptors(new PassingInterceptor()));

    client.send({ event: 'filtered', data: { kind: 'thrown', text: 'hi' } });

    expect(await client.next()).toMatchObject({ event: 'refused', data: { why: 'thrown' } });
  });

  it('may answer later, and sees what a guard refuses', async () => {
    const client = await start();

    expect((await client.request('filtered.guard')).data).toBe('filtered Forbidden resource');
  });

  it('stands back behind the one that is named after it, as in stock Nest', async () => {
    const client = await start();

    expect((await client.request('filtered.nearest', { text: 'hi' })).data).toBe('filtered once');
  });

  it('leaves an exception alone that it does not catch', async () => {
    const client = await start();

    const answer = await client.request('filtered', { kind: 'other' });

    expect(answer.error).toMatchObject({ code: 'forbidden', message: 'another' });
  });

  it('leaves the error as the answer to an id where it returns nothing', async () => {
    const client = await start();

    expect((await client.request('filtered.quiet')).error?.code).toBe('internal');
  });

  it('leaves a message without an id unanswered where it returns nothing', async () => {
    const client = await start();

    client.send({ event: 'filtered.quiet' });
    const fence = await client.request('fence');

    expect(client.frames).toEqual([fence]);
  });

  it('answers with what it throws itself', async () => {
    const client = await start();

    const answer = await client.request('filtered.throws');

    expect(answer.error).toMatchObject({ code: 'conflict', message: 'from the filter' });
  });
});

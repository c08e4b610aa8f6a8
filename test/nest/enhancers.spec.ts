import {
  createParamDecorator,
  Injectable,
  ParseIntPipe,
  UseGuards,
  UseInterceptors,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type INestApplication,
  type NestInterceptor,
} from '@nestjs/common';
import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import type { ChannelsModuleOptions } from 'nestjs-channels';
import type { TestClient } from 'nestjs-channels/testing';
import { of, type Observable } from 'rxjs';
import { map } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { startApp } from '../support/start-app.js';

@Injectable()
class Tracer implements NestInterceptor {
  readonly trace: string[] = [];

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    this.trace.push(`${context.getType()} ${context.getClass().name}.${context.getHandler().name}`);
    return next.handle().pipe(map((value: unknown) => ({ traced: value })));
  }
}

@Injectable()
class ObservableGuard implements CanActivate {
  canActivate(context: ExecutionContext): Observable<boolean> {
    const { allowed } = context.switchToWs().getData<{ allowed: boolean }>();
    return of(!allowed, allowed);
  }
}

const truthyGuard = { canActivate: () => 'the name of a user' as unknown as boolean };

const Client = createParamDecorator((data: string, context: ExecutionContext) => {
  const client: unknown = context.switchToWs().getClient();
  return (client as Record<string, unknown>)[data];
});

@WebSocketGateway({ path: '/ws' })
class EnhancedGateway {
  @SubscribeMessage('intercepted')
  @UseInterceptors(Tracer)
  intercepted(@MessageBody('n') n: number): number {
    return n;
  }

  @SubscribeMessage('guarded')
  @UseGuards(ObservableGuard)
  guarded(): string {
    return 'handled';
  }

  @SubscribeMessage('guarded.truthy')
  @UseGuards(truthyGuard)
  truthy(): string {
    return 'handled';
  }

  @SubscribeMessage('piped')
  piped(@MessageBody('n', ParseIntPipe) n: number, @Client('id') id: string): unknown {
    return { n, hasId: id.length > 0 };
  }

  @SubscribeMessage('bare')
  bare(client: { id: string }, data: unknown): unknown {
    return { hasId: client.id.length > 0, data };
  }

  @SubscribeMessage('member')
  member(@MessageBody() { n }: { n: number }): number {
    return n;
  }

  @SubscribeMessage('socket')
  socket(@ConnectedSocket() { id }: { id: string }): boolean {
    return id.length > 0;
  }
}

async function start(
  configure?: (nest: INestApplication) => void,
  channels?: ChannelsModuleOptions,
): Promise<TestClient> {
  const app = await startApp({ providers: [EnhancedGateway, Tracer], configure, channels });
  return app.connect('/ws');
}

describe('an enhancer of a handler', () => {
  it('maps the answer, as an interceptor', async () => {
    const client = await start();

    const answer = await client.request('intercepted', { n: 2 }, { id: 1 });

    expect(answer).toEqual({ ack: 1, data: { traced: 2 } });
  });

  it('knows class, handler and kind of the context, as a global interceptor', async () => {
    const tracer = new Tracer();
    const client = await start((nest) => nest.useGlobalInterceptors(tracer));

    await client.request('socket');

    expect(tracer.trace).toEqual(['ws EnhancedGateway.socket']);
  });

  it.each([
    [true, { data: 'handled' }],
    [false, { error: { code: 'forbidden' } }],
  ])('decides by the last value, as a guard with an Observable: %s', async (allowed, expected) => {
    const client = await start();

    expect(await client.request('guarded', { allowed })).toMatchObject(expected);
  });

  it('lets pass with anything truthy, as a guard of stock Nest', async () => {
    const client = await start();

    expect(await client.request('guarded.truthy')).toMatchObject({ data: 'handled' });
  });

  it('transforms and refuses, as a pipe of a parameter', async () => {
    const client = await start();

    const accepted = await client.request('piped', { n: '41' });
    const refused = await client.request('piped', { n: 'x' });

    expect(accepted.data).toEqual({ n: 41, hasId: true });
    expect(refused.error).toMatchObject({ code: 'bad_request', details: { statusCode: 400 } });
  });

  it('is not needed: a bare method gets the client and the data', async () => {
    const client = await start();

    expect((await client.request('bare', [1])).data).toEqual({ hasId: true, data: [1] });
  });

  it('gives undefined for a member of data that is none', async () => {
    const client = await start();

    const answers = await Promise.all(
      [undefined, null, 1, 'text'].map((data) => client.request('intercepted', data)),
    );

    expect(answers.map(({ data }) => data)).toEqual([{}, {}, {}, {}]);
  });
});

describe('a global enhancer', () => {
  const refusing = { canActivate: () => false };
  const tripling = { transform: (value: unknown) => ({ n: Number((value as { n: number }).n) * 3 }) };
  const useAll = (nest: INestApplication): void => {
    nest.useGlobalGuards(refusing);
    nest.useGlobalPipes(tripling);
    nest.useGlobalInterceptors(new Tracer());
  };

  it.each([
    ['all', {}, { error: { code: 'forbidden' } }],
    ['pipes and interceptors', { guards: false }, { data: { traced: 6 } }],
    ['pipes', { guards: false, interceptors: false }, { data: 6 }],
    ['interceptors', { guards: false, pipes: false }, { data: { traced: 2 } }],
    ['none', { guards: false, pipes: false, interceptors: false }, { data: 2 }],
  ])('runs for messages as on Nest 12, unless "globals" says otherwise: %s', async (_, globals, expected) => {
    const client = await start(useAll, { globals: { ...globals, handshake: false } });

    expect(await client.request('member', { n: 2 })).toMatchObject(expected);
  });
});

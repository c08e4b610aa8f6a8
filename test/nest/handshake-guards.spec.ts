import {
  Injectable,
  SetMetadata,
  UseGuards,
  UseInterceptors,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type NestInterceptor,
  type Type,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { WebSocketGateway } from '@nestjs/websockets';
import { UseHandshakeGuards, type HandshakeRequest } from 'nestjs-channels';
import type { ChannelsTestApp } from 'nestjs-channels/testing';
import { of, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { CheckGuard, WhoamiGateway, type Check } from '../support/guarded-gateway.js';
import { refusalOf } from '../support/refusals.js';
import { startApp } from '../support/start-app.js';

const PLAIN = { protocols: [] };

/** The calls of the guards of one application, in order. */
class Journal {
  readonly entries: string[] = [];
}

@Injectable()
class FirstGuard implements CanActivate {
  constructor(private readonly journal: Journal) {}

  canActivate(context: ExecutionContext): boolean {
    this.journal.entries.push('first');
    return !this.#query(context).includes('no-first');
  }

  #query(context: ExecutionContext): string {
    return String(context.switchToHttp().getRequest<HandshakeRequest>().url);
  }
}

@Injectable()
class SecondGuard implements CanActivate {
  constructor(private readonly journal: Journal) {}

  canActivate(): Observable<boolean> {
    this.journal.entries.push('second');
    return of(false, true);
  }
}

@Injectable()
class MessageEnhancer implements CanActivate, NestInterceptor {
  constructor(private readonly journal: Journal) {}

  canActivate(context: ExecutionContext): boolean {
    this.journal.entries.push(`message guard in ${context.getType()}`);
    return true;
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    this.journal.entries.push(`message interceptor in ${context.getType()}`);
    return next.handle();
  }
}

@WebSocketGateway({ path: '/ws' })
@UseHandshakeGuards(FirstGuard, SecondGuard)
class TwoGuards extends WhoamiGateway {}

async function start(...gateways: Type[]): Promise<{ app: ChannelsTestApp; journal: string[] }> {
  const app = await startApp({ providers: [Journal, ...gateways] });
  return { app, journal: app.nest.get(Journal).entries };
}

/** A gateway on the path that all of this file share. */
function gatewayWith(check: Check): Type {
  @WebSocketGateway({ path: '/ws' })
  @UseHandshakeGuards(new CheckGuard(check))
  class OneOfSeveral {}

  return OneOfSeveral;
}

describe('handshake guards', () => {
  it('run in order, with what they inject, and the last word of an Observable counts', async () => {
    const { app, journal } = await start(TwoGuards);

    await app.connect('/ws');

    expect(journal).toEqual(['first', 'second']);
  });

  it('end with the first that says no', async () => {
    const { app, journal } = await start(TwoGuards);

    const refusal = await refusalOf(app.connect('/ws?no-first', PLAIN));

    expect([refusal.statusCode, journal]).toEqual([403, ['first']]);
  });

  it('are replaced by overrideGuard', async () => {
    const app = await startApp({
      providers: [Journal, TwoGuards],
      override: (builder) => builder.overrideGuard(FirstGuard).useValue({ canActivate: () => true }),
    });

    await app.connect('/ws?no-first');

    expect(app.nest.get(Journal).entries).toEqual(['second']);
  });

  it('see the gateway and what its decorators say', async () => {
    const seen: unknown[] = [];

    @Injectable()
    class RoleGuard implements CanActivate {
      constructor(private readonly reflector: Reflector) {}

      canActivate(context: ExecutionContext): boolean {
        seen.push(context.getType(), context.getClass(), this.reflector.get('role', context.getClass()));
        return true;
      }
    }

    @WebSocketGateway({ path: '/ws' })
    @SetMetadata('role', 'admin')
    @UseHandshakeGuards(RoleGuard)
    class AdminGateway {}

    const { app } = await start(AdminGateway);

    await app.connect('/ws');

    expect(seen).toEqual(['http', AdminGateway, 'admin']);
  });

  // The second decorator took the place of the first, whose guards then never ran.
  it('of two decorators on one class all run', async () => {
    @WebSocketGateway({ path: '/ws' })
    @UseHandshakeGuards(SecondGuard)
    @UseHandshakeGuards(FirstGuard)
    class DecoratedTwice {}
    const { app, journal } = await start(DecoratedTwice);

    await app.connect('/ws');

    expect(journal).toEqual(['first', 'second']);
  });

  it('of a base class run before those of its heir, and only these for the base', async () => {
    @WebSocketGateway({ path: '/heir' })
    class Heir extends TwoGuards {}

    @WebSocketGateway({ path: '/strict' })
    @UseHandshakeGuards(new CheckGuard(() => false))
    class StrictHeir extends TwoGuards {}

    const { app, journal } = await start(TwoGuards, Heir, StrictHeir);

    await app.connect('/heir');
    const refused = await app.connect('/strict');
    await app.connect('/ws');

    expect(await refused.closed).toMatchObject({ code: 4503 });
    expect(journal).toEqual(['first', 'second', 'first', 'second', 'first', 'second']);
  });

  it('are not the guards and interceptors that a gateway has for its messages', async () => {
    @WebSocketGateway({ path: '/ws' })
    @UseHandshakeGuards(FirstGuard)
    @UseGuards(MessageEnhancer)
    @UseInterceptors(MessageEnhancer)
    class Guarded extends WhoamiGateway {}
    const { app, journal } = await start(Guarded);

    const client = await app.connect('/ws');
    const before = [...journal];
    await client.request('whoami');

    expect(before).toEqual(['first']);
    expect(journal).toEqual(['first', 'message guard in ws', 'message interceptor in ws']);
  });
});

describe('the handshake guards of several gateways on one path', () => {
  it('must all agree', async () => {
    const asked: string[] = [];
    const checkFor =
      (name: string): Check =>
      ({ query }) => {
        asked.push(name);
        return query['no'] !== name;
      };
    const { app } = await start(gatewayWith(checkFor('a')), gatewayWith(checkFor('b')));

    const both = await app.connect('/ws');
    const notA = await app.connect('/ws?no=a');
    const notB = await app.connect('/ws?no=b');

    expect(both.frames).toEqual([]);
    expect(await notA.closed).toMatchObject({ code: 4503 });
    expect(await notB.closed).toMatchObject({ code: 4503 });
    expect(asked).toEqual(['a', 'b', 'a', 'a', 'b']);
  });

  it('see what the others have put into the request', async () => {
    const seen: unknown[] = [];
    const { app } = await start(
      gatewayWith((request) => Boolean((request.user = { id: 7 }))),
      gatewayWith(({ user }) => seen.push(user) > 0),
    );

    await app.connect('/ws');

    expect(seen).toEqual([{ id: 7 }]);
  });

  it('leave the gateway of another path alone', async () => {
    @WebSocketGateway({ path: '/open' })
    class Open extends WhoamiGateway {}
    const { app } = await start(
      gatewayWith(() => false),
      Open,
    );

    const client = await app.connect('/open');

    expect((await client.request('whoami')).data).toMatchObject({ principal: '' });
  });
});

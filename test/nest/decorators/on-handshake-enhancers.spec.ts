import {
  ForbiddenException,
  Injectable,
  Query,
  UseGuards,
  UseInterceptors,
  UsePipes,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type NestInterceptor,
  type PipeTransform,
} from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import { OnHandshake, type HandshakeRequest } from 'nestjs-channels';
import { map, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { WhoamiGateway } from '../../support/guarded-gateway.js';
import { refusalOf } from '../../support/refusals.js';
import { startApp } from '../../support/start-app.js';

const PLAIN = { protocols: [] };

class Shout implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((text) => `${String(text)}!`));
  }
}

/** Notes that it was asked, and changes nothing. */
class Note implements NestInterceptor, PipeTransform {
  constructor(
    private readonly notes: string[],
    private readonly name: string,
  ) {}

  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    this.notes.push(this.name);
    return next.handle();
  }

  transform(value: unknown): unknown {
    this.notes.push(this.name);
    return value;
  }
}

describe('OnHandshake', () => {
  it('has guards of its own, with what they inject', async () => {
    @Injectable()
    class Rooms {
      readonly open: readonly unknown[] = ['lobby'];
    }

    @Injectable()
    class RoomGuard implements CanActivate {
      constructor(private readonly rooms: Rooms) {}

      canActivate(context: ExecutionContext): boolean {
        const { query } = context.switchToHttp().getRequest<HandshakeRequest>();
        if (!this.rooms.open.includes(query['room'])) throw new ForbiddenException('no such room');
        return true;
      }
    }

    @WebSocketGateway({ path: '/ws' })
    class Guarded {
      @OnHandshake()
      @UseGuards(RoomGuard)
      open(): void {}
    }
    const app = await startApp({ providers: [Rooms, Guarded] });

    const client = await app.connect('/ws?room=lobby');
    const refusal = await refusalOf(app.connect('/ws?room=attic', PLAIN));

    expect(client.protocol).toBe('nestjs-channels.v1.json');
    expect(refusal).toMatchObject({ statusCode: 403, body: { message: 'no such room' } });
  });

  it('has interceptors of its own, which may change the data', async () => {
    @WebSocketGateway({ path: '/ws' })
    class Intercepted extends WhoamiGateway {
      @OnHandshake()
      @UseInterceptors(Shout)
      open(): string {
        return 'lobby';
      }
    }

    const app = await startApp({ providers: [Intercepted] });

    const client = await app.connect('/ws');

    expect((await client.request('whoami')).data).toMatchObject({ data: 'lobby!' });
  });

  it('runs interceptors and pipes of its own, and none of its class', async () => {
    const notes: string[] = [];

    @WebSocketGateway({ path: '/ws' })
    @UsePipes(new Note(notes, 'pipe of the class'))
    @UseInterceptors(new Note(notes, 'interceptor of the class'))
    class Noting extends WhoamiGateway {
      @OnHandshake()
      @UsePipes(new Note(notes, 'pipe'))
      @UseInterceptors(new Note(notes, 'interceptor'))
      open(@Query('name') _name: string): void {}
    }
    const app = await startApp({ providers: [Noting] });

    const client = await app.connect('/ws');
    const before = [...notes];
    await client.request('whoami');

    expect(before).toEqual(['interceptor', 'pipe']);
    expect(notes).toEqual([...before, 'interceptor of the class', 'pipe of the class']);
  });
});

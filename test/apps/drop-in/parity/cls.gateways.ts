import {
  Injectable,
  UseGuards,
  UseInterceptors,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { MessageBody, SubscribeMessage, WebSocketGateway, WsException } from '@nestjs/websockets';
import { ClsGuard, ClsInterceptor, ClsModule, ClsService, UseCls } from 'nestjs-cls';
import { concatMap, from, tap, type Observable } from 'rxjs';
import { Fenced, turns } from './fenced.js';

interface Named {
  readonly name: string;
}

const named = (context: ExecutionContext): string => context.switchToWs().getData<Named>().name;

const setUp = {
  generateId: true,
  idGenerator: (context: ExecutionContext) => `id of ${named(context)}`,
  setup: (cls: ClsService, context: ExecutionContext) => cls.set('name', named(context)),
};

/** Stores are set up by the decorators of a gateway, not for the whole application. */
export const CLS_MODULE = ClsModule.forRoot({ global: true, guard: setUp, interceptor: setUp });

@Injectable()
export class Audit {
  constructor(readonly cls: ClsService) {}

  /** Writes down what the store says here; the store itself keeps the list. */
  note(where: string): string[] {
    if (!this.cls.isActive()) return [`${where}: no store`];
    const notes = [
      ...(this.cls.get<string[] | undefined>('notes') ?? []),
      `${where}: ${this.cls.getId()}, ${this.cls.get('name')}`,
    ];
    this.cls.set('notes', notes);
    return notes;
  }
}

@Injectable()
class NotingGuard implements CanActivate {
  constructor(private readonly audit: Audit) {}

  async canActivate(): Promise<boolean> {
    this.audit.note('guard');
    await turns(1);
    this.audit.note('guard, later');
    return true;
  }
}

@Injectable()
class NotingInterceptor implements NestInterceptor {
  constructor(private readonly audit: Audit) {}

  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    this.audit.note('interceptor');
    return next.handle().pipe(tap(() => this.audit.note('interceptor, after')));
  }
}

/** The messages that wait for each other, so that several are in flight for sure. */
const meetings = new Map<string, () => void>();

/** The first of two resolves when the second has come. */
async function meet(place: string): Promise<void> {
  const other = meetings.get(place);
  meetings.delete(place);
  if (other) return other();
  return new Promise((resolve) => meetings.set(place, resolve));
}

// Decorated for the sake of the constructor's metadata, which the gateways inherit.
@Injectable()
abstract class NotingGateway extends Fenced {
  constructor(protected readonly audit: Audit) {
    super();
  }

  protected async notes(): Promise<string[]> {
    this.audit.note('handler');
    await turns(1);
    return this.audit.note('handler, later');
  }

  protected async notesAfterMeeting(place: string): Promise<string[]> {
    this.audit.note('before the meeting');
    await meet(place);
    await turns(1);
    return this.audit.note('after the meeting');
  }

  protected items(): Observable<unknown> {
    return from([1, 2]).pipe(
      concatMap(async (item) => {
        await turns(1);
        return this.audit.note(`item ${item}`);
      }),
    );
  }

  @SubscribeMessage('outside')
  outside(): boolean {
    return this.audit.cls.isActive();
  }
}

@WebSocketGateway({ path: '/cls/guard' })
class ClsGuardGateway extends NotingGateway {
  @SubscribeMessage('notes')
  @UseGuards(ClsGuard, NotingGuard)
  @UseInterceptors(NotingInterceptor)
  override notes(): Promise<string[]> {
    return super.notes();
  }

  @SubscribeMessage('meet')
  @UseGuards(ClsGuard, NotingGuard)
  meet(): Promise<string[]> {
    return this.notesAfterMeeting('guard');
  }

  @SubscribeMessage('items')
  @UseGuards(ClsGuard)
  override items(): Observable<unknown> {
    return super.items();
  }

  @SubscribeMessage('fails')
  @UseGuards(ClsGuard)
  fails(): never {
    throw new WsException(this.audit.note('failing'));
  }
}

@WebSocketGateway({ path: '/cls/interceptor' })
class ClsInterceptorGateway extends NotingGateway {
  @SubscribeMessage('notes')
  @UseInterceptors(ClsInterceptor, NotingInterceptor)
  override notes(): Promise<string[]> {
    return super.notes();
  }

  @SubscribeMessage('meet')
  @UseInterceptors(ClsInterceptor, NotingInterceptor)
  meet(): Promise<string[]> {
    return this.notesAfterMeeting('interceptor');
  }

  @SubscribeMessage('items')
  @UseInterceptors(ClsInterceptor)
  override items(): Observable<unknown> {
    return super.items();
  }

  @SubscribeMessage('fails')
  @UseInterceptors(ClsInterceptor)
  fails(): never {
    throw new WsException(this.audit.note('failing'));
  }
}

@WebSocketGateway({ path: '/cls/both' })
class ClsBothGateway extends NotingGateway {
  @SubscribeMessage('notes')
  @UseGuards(ClsGuard, NotingGuard)
  @UseInterceptors(ClsInterceptor, NotingInterceptor)
  override notes(): Promise<string[]> {
    return super.notes();
  }
}

/** `UseCls` sees the arguments of the method, not its context. */
const USE_CLS = {
  generateId: true,
  idGenerator: (_client: unknown, { name }: Named): string => `id of ${name}`,
  setup: (cls: ClsService, _client: unknown, { name }: Named): void => cls.set('name', name),
};

@WebSocketGateway({ path: '/cls/method' })
class ClsMethodGateway extends NotingGateway {
  @SubscribeMessage('notes')
  @UseCls(USE_CLS)
  ofMethod(_client: unknown, _data: Named): Promise<string[]> {
    return super.notes();
  }

  @SubscribeMessage('notes.decorated')
  @UseCls<[string]>({
    generateId: true,
    idGenerator: (name) => `id of ${name}`,
    setup: (cls, name) => cls.set('name', name),
  })
  async decorated(@MessageBody('name') name: string): Promise<string[]> {
    return [...this.audit.note('handler'), name];
  }

  @SubscribeMessage('meet')
  @UseCls(USE_CLS)
  meet(_client: unknown, _data: Named): Promise<string[]> {
    return this.notesAfterMeeting('method');
  }
}

export const CLS_GATEWAYS = [ClsGuardGateway, ClsInterceptorGateway, ClsBothGateway, ClsMethodGateway];

import {
  Inject,
  Injectable,
  Scope,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { ContextIdFactory, REQUEST } from '@nestjs/core';
import { WsAdapter } from '@nestjs/platform-ws';
import {
  ConnectedSocket,
  SubscribeMessage,
  WebSocketGateway,
  WebSocketServer,
  type OnGatewayConnection,
  type OnGatewayDisconnect,
} from '@nestjs/websockets';
import {
  ChannelParam,
  ChannelsModule,
  OnHandshake,
  SubscribeChannel,
  UnsubscribeChannel,
  UseHandshakeGuards,
} from 'nestjs-channels';
import type { ChannelsTestApp, ChannelsTestAppOptions } from 'nestjs-channels/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { RecordingObserver } from '../support/recording-observer.js';
import { startApp } from '../support/start-app.js';

/** What the instances have done, in order. */
let journal: string[] = [];
let instances = 0;

beforeEach(() => {
  journal = [];
  instances = 0;
});

@Injectable({ scope: Scope.REQUEST })
class Visitor {
  readonly number = ++instances;

  constructor(@Inject(REQUEST) readonly request: object) {}
}

@Injectable({ scope: Scope.REQUEST })
class VisitorGuard implements CanActivate {
  constructor(private readonly visitor: Visitor) {}

  canActivate(context: ExecutionContext): boolean {
    journal.push(`guard of ${this.visitor.number} in ${context.getType()}`);
    return true;
  }
}

/** A gateway that stock Nest 12 takes as well. */
@WebSocketGateway({ path: '/ws' })
class StockGateway implements OnGatewayConnection, OnGatewayDisconnect {
  @WebSocketServer()
  readonly server: unknown;

  constructor(private readonly visitor: Visitor) {}

  handleConnection(): void {
    journal.push(`${this.visitor.number} connected`);
  }

  handleDisconnect(): void {
    journal.push(`${this.visitor.number} disconnected`);
  }

  @SubscribeMessage('who')
  @UseGuards(VisitorGuard)
  who(@ConnectedSocket() client: object): object {
    const { number, request } = this.visitor;
    return {
      event: 'who',
      data: { number, isClient: request === client, hasServer: this.server !== undefined },
    };
  }

  @SubscribeMessage('context')
  context(@ConnectedSocket() client: Record<string, unknown>): object {
    const same = ContextIdFactory.getByRequest(client) === ContextIdFactory.getByRequest(client);
    return { event: 'context', data: same };
  }
}

function start(options: ChannelsTestAppOptions): Promise<ChannelsTestApp> {
  return startApp({ ...options, providers: [Visitor, VisitorGuard, ...(options.providers ?? [])] });
}

function startStock(adapter: 'stock' | 'ours'): Promise<ChannelsTestApp> {
  return start({
    providers: [StockGateway],
    imports: [ChannelsModule.forRoot({ autoInstall: adapter === 'ours' })],
    configure: (nest) => {
      if (adapter === 'stock') nest.useWebSocketAdapter(new WsAdapter(nest));
    },
  });
}

describe('a gateway that depends on something request-scoped', () => {
  it('has an instance for each connection, the same from its first message to its end', async () => {
    const observer = new RecordingObserver();
    const app = await start({ providers: [StockGateway], channels: { observers: [observer] } });
    const [first, second] = [await app.connect('/ws'), await app.connect('/ws')];

    const answers = [await first.request('who'), await second.request('who'), await first.request('who')];
    await first.close();
    await observer.until(({ closes }) => closes.length === 1);

    expect(answers.map(({ data }) => (data as { number: number }).number)).toEqual([1, 2, 1]);
    expect(journal).toEqual([
      '1 connected',
      '2 connected',
      'guard of 1 in ws',
      'guard of 2 in ws',
      'guard of 1 in ws',
      '1 disconnected',
    ]);
  });

  it('gets the client as its request, and the server', async () => {
    const app = await start({ providers: [StockGateway] });

    const answer = await (await app.connect('/ws')).request('who');

    expect(answer.data).toEqual({ number: 1, isClient: true, hasServer: true });
  });

  it('answers a plain client as the stock adapter does', async () => {
    const answers: unknown[] = [];
    for (const adapter of ['stock', 'ours'] as const) {
      instances = 0;
      const client = await (await startStock(adapter)).connect('/ws', { protocols: [] });
      for (const event of ['who', 'context', 'who']) {
        client.send({ event });
        await client.next();
      }
      answers.push(client.frames);
    }

    expect(answers[1]).toEqual(answers[0]);
  });

  it('joins and leaves channels on its instance', async () => {
    @WebSocketGateway({ path: '/rooms' })
    class RoomGateway {
      constructor(private readonly visitor: Visitor) {}

      @SubscribeChannel('room:{name}')
      join(@ChannelParam('name') name: string): string {
        return `${this.visitor.number} in ${name}`;
      }

      @UnsubscribeChannel('room:{name}')
      leave(@ChannelParam('name') name: string): void {
        journal.push(`${this.visitor.number} left ${name}`);
      }
    }
    const observer = new RecordingObserver();
    const app = await start({ providers: [RoomGateway], channels: { observers: [observer] } });
    await app.connect('/rooms');
    const client = await app.connect('/rooms');

    const ack = await client.subscribe('room:blue');
    await client.close();
    await observer.until(({ closes }) => closes.length === 1);

    expect(ack.data).toMatchObject({ data: '2 in blue' });
    expect(journal).toEqual(['2 left blue']);
  });

  it('runs its handshake on an instance for the request', async () => {
    @WebSocketGateway({ path: '/door' })
    @UseHandshakeGuards(VisitorGuard)
    class DoorGateway {
      constructor(private readonly visitor: Visitor) {}

      @OnHandshake()
      look(request: { readonly url?: string }): void {
        const { request: own } = this.visitor;
        journal.push(`handshake of ${this.visitor.number}: ${String(own === request)}`);
      }

      @SubscribeMessage('who')
      who(): number {
        return this.visitor.number;
      }
    }
    const app = await start({ providers: [DoorGateway] });

    const client = await app.connect('/door');

    // The connection has a context of its own: its request is the client.
    expect((await client.request('who')).data).toBe(2);
    expect(journal).toEqual(['guard of 1 in http', 'handshake of 1: true']);
  });

  it('that cannot be made closes its connection with 1011, and others stay', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Broken {
      constructor() {
        if (instances++ > 0) throw new Error('no more of these');
      }
    }
    @WebSocketGateway({ path: '/broken' })
    class BrokenGateway {
      constructor(readonly broken: Broken) {}

      handleDisconnect(): void {
        journal.push('disconnected');
      }

      @SubscribeMessage('echo')
      echo(): string {
        return 'echo';
      }
    }
    const observer = new RecordingObserver();
    const app = await start({ providers: [Broken, BrokenGateway], channels: { observers: [observer] } });
    const first = await app.connect('/broken');

    const second = await app.connect('/broken');

    expect(await second.closed).toMatchObject({ code: 1011 });
    expect((await first.request('echo')).data).toBe('echo');
    expect(observer.failures).toMatchObject([{ error: { message: 'no more of these' } }]);
    expect(journal).toEqual([]);
  });
});

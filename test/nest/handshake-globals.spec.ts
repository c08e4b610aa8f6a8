import { Injectable, type CanActivate, type ExecutionContext, type Type } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import {
  Acked,
  OnHandshake,
  SubscribeChannel,
  UnsubscribeChannel,
  UseHandshakeGuards,
  type ChannelsModuleOptions,
  type HandshakeRequest,
} from 'nestjs-channels';
import type { ChannelsTestApp } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { CheckGuard, WhoamiGateway } from '../support/guarded-gateway.js';
import { refusalOf } from '../support/refusals.js';
import { startApp } from '../support/start-app.js';

/** The handshakes and messages that the global guard was asked about. */
class Journal {
  readonly entries: string[] = [];
}

@Injectable()
class GlobalGuard implements CanActivate {
  constructor(private readonly journal: Journal) {}

  canActivate(context: ExecutionContext): boolean {
    this.journal.entries.push(`${context.getType()} ${context.getClass().name}`);
    if (context.getType() !== 'http') return true;
    return context.switchToHttp().getRequest<HandshakeRequest>().query['no'] === undefined;
  }
}

@WebSocketGateway({ path: '/ws' })
class Stock extends WhoamiGateway {}

@WebSocketGateway({ path: '/ws' })
@UseHandshakeGuards(new CheckGuard(() => true))
class WithGuards extends WhoamiGateway {}

@WebSocketGateway({ path: '/ws' })
class WithOnHandshake {
  @OnHandshake()
  open(): void {}
}

@WebSocketGateway({ path: '/ws' })
@UseHandshakeGuards(new CheckGuard(() => true))
class WithBoth extends WithOnHandshake {}

@WebSocketGateway({ path: '/ws' })
class WithAcked {
  @SubscribeMessage('send')
  @Acked()
  send(): void {}
}

@WebSocketGateway({ path: '/ws' })
class WithSubscribe {
  @SubscribeChannel('chat:{room}')
  join(): void {}
}

@WebSocketGateway({ path: '/ws' })
class WithUnsubscribe {
  @UnsubscribeChannel('chat:{room}')
  leave(): void {}
}

interface Rig {
  readonly app: ChannelsTestApp;
  readonly journal: readonly string[];
}

async function start(gateways: readonly Type[], channels?: ChannelsModuleOptions): Promise<Rig> {
  const app = await startApp({
    providers: [Journal, { provide: APP_GUARD, useClass: GlobalGuard }, ...gateways],
    channels,
  });
  return { app, journal: app.nest.get(Journal).entries };
}

describe('a global guard', () => {
  it.each([WithGuards, WithOnHandshake, WithBoth, WithAcked, WithSubscribe, WithUnsubscribe])(
    'runs once at the handshake of %o',
    async (gateway) => {
      const { app, journal } = await start([gateway]);

      await app.connect('/ws');
      const refused = await app.connect('/ws?no');

      expect(await refused.closed).toMatchObject({ code: 4503 });
      expect(journal).toEqual([`http ${gateway.name}`, `http ${gateway.name}`]);
    },
  );

  it('runs at no handshake of a stock gateway', async () => {
    const { app, journal } = await start([Stock], { globals: { guards: true } });

    const client = await app.connect('/ws?no');
    const before = [...journal];
    await client.request('whoami');

    expect([before, journal]).toEqual([[], ['ws Stock']]);
  });

  it('runs for the gateways of a path that use a decorator of ours, and not for the others', async () => {
    const { app, journal } = await start([Stock, WithSubscribe, WithGuards]);

    await app.connect('/ws');

    expect(journal).toEqual(['http WithSubscribe', 'http WithGuards']);
  });

  it('that is set by useGlobalGuards runs, too', async () => {
    const seen: string[] = [];
    const app = await startApp({
      providers: [WithGuards],
      configure: (nest) =>
        void nest.useGlobalGuards({ canActivate: (context) => seen.push(context.getType()) > 0 }),
    });

    await app.connect('/ws');

    expect(seen).toEqual(['http']);
  });

  it('runs before the guards of the gateway', async () => {
    const order: string[] = [];

    @WebSocketGateway({ path: '/ws' })
    @UseHandshakeGuards(new CheckGuard(() => order.push('handshake') > 0))
    class Ordered {}

    const app = await startApp({
      providers: [Ordered],
      configure: (nest) => void nest.useGlobalGuards({ canActivate: () => order.push('global') > 0 }),
    });

    await app.connect('/ws');

    expect(order).toEqual(['global', 'handshake']);
  });
});

describe('globals: { handshake: false }', () => {
  const channels = { globals: { guards: true, handshake: false } };

  it.each([WithGuards, WithOnHandshake, WithSubscribe])(
    'keeps the global guards away from the handshake of %o',
    async (gateway) => {
      const { app, journal } = await start([gateway], channels);

      await app.connect('/ws?no');

      expect(journal).toEqual([]);
    },
  );

  it('leaves them their messages, and the handshake its own guards', async () => {
    @WebSocketGateway({ path: '/ws' })
    @UseHandshakeGuards(new CheckGuard(({ query }) => query['no'] === undefined))
    class Guarded extends WhoamiGateway {}
    const { app, journal } = await start([Guarded], channels);

    const client = await app.connect('/ws');
    await client.request('whoami');
    const refusal = await refusalOf(app.connect('/ws?no', { protocols: [] }));

    expect([refusal.statusCode, journal]).toEqual([403, ['ws Guarded']]);
  });
});

import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import { SubscribeChannel, UseHandshakeGuards, type ConnectionFilter } from 'nestjs-channels';
import type { ChannelsTestApp } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { startApp } from '../support/start-app.js';

/** As an ORM makes them: members are getters of the class. */
class Account {
  readonly id = 'getter';

  get tenant(): string {
    return 'acme';
  }
}

const USERS: Readonly<Record<string, unknown>> = {
  ada: { id: 'ada', tenant: 'acme', level: 1, admin: true },
  bob: { id: 'bob', tenant: 'acme', level: '1', admin: false },
  eve: { id: 'eve', tenant: 'other', level: null, roles: ['admin'] },
  getter: new Account(),
};

@Injectable()
class UserGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<{ url: string; user?: unknown }>();
    const name = request.url.split('user=')[1];
    if (name !== undefined) request.user = USERS[name];
    return true;
  }
}

@WebSocketGateway({ path: '/ws' })
@UseHandshakeGuards(UserGuard)
class RoomGateway {
  @SubscribeChannel('chat:{room}')
  join(): void {}
}

async function start(): Promise<ChannelsTestApp> {
  const app = await startApp({ providers: [RoomGateway, UserGuard] });
  await app.connect('/ws');
  for (const name of Object.keys(USERS)) {
    const client = await app.connect(`/ws?user=${name}`);
    await client.subscribe(`chat:${name}`);
  }
  return app;
}

const EVERYBODY = ['', 'ada', 'bob', 'eve', 'getter'];

describe('claims', () => {
  it.each<[string, unknown, readonly string[]]>([
    ['a text', { tenant: 'acme' }, ['ada', 'bob', 'getter']],
    ['a number', { level: 1 }, ['ada']],
    ['the text of a number', { level: '1' }, ['bob']],
    ['a boolean', { admin: false }, ['bob']],
    ['several, which all have to fit', { tenant: 'acme', admin: true }, ['ada']],
    ['a value that nobody has', { tenant: 'ACME' }, []],
    ['a member that nobody has', { nobody: 'x' }, []],
    ['a member of an array', { 'roles.0': 'admin' }, []],
    ['what objects inherit', { constructor: 'Object' }, []],
    // Each of these could fit those who do not have the member at all.
    ['no member', {}, []],
    ['undefined', { nobody: undefined }, []],
    ['null', { level: null }, []],
    ['NaN', { level: Number.NaN }, []],
    ['an object', { roles: ['admin'] }, []],
    ['an array', ['acme'], []],
    ['null in place of all', null, []],
    ['a text in place of all', 'acme', []],
  ])('fit by %s', async (_what, claims, expected) => {
    const app = await start();
    const filter = { claims } as ConnectionFilter;

    const { connections } = await app.channels.connections(filter);
    const { disconnected } = await app.channels.disconnect(filter);
    const left = await app.channels.connections();

    expect(connections.map(({ principal }) => principal)).toEqual(expected);
    expect(disconnected).toBe(expected.length);
    expect(left.connections.map(({ principal }) => principal)).toEqual(
      EVERYBODY.filter((name) => !expected.includes(name)),
    );
  });

  it('fit beside other members of a filter', async () => {
    const app = await start();

    const { disconnected } = await app.channels.disconnect({
      channel: 'chat:bob',
      claims: { tenant: 'acme' },
    });
    const none = await app.channels.disconnect({ channel: 'chat:eve', claims: { tenant: 'acme' } });

    expect([disconnected, none.disconnected]).toEqual([1, 0]);
  });

  it.each([{ principal: 5 }, { principal: null }, { channel: ['chat:ada'] }, { connectionId: {} }])(
    'fit nobody beside a member that is no text: %j',
    async (filter) => {
      const app = await start();

      const { disconnected } = await app.channels.disconnect(filter as unknown as ConnectionFilter);

      expect(disconnected).toBe(0);
    },
  );
});

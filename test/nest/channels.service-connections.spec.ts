import { Injectable } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import { SubscribeChannel, type ChannelSocket, type ConnectionFilter } from 'nestjs-channels';
import type { ChannelsTestApp, TestClient } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { Arrivals } from '../support/arrivals.js';
import { RecordingObserver } from '../support/recording-observer.js';
import { framesOf } from '../support/room.js';
import { startApp } from '../support/start-app.js';

const THIS_NODE = { expected: 1, answered: 1, missing: [] };

@Injectable()
class Sockets extends Arrivals<ChannelSocket> {}

@WebSocketGateway({ path: '/one' })
class OneGateway {
  constructor(private readonly sockets: Sockets) {}

  handleConnection(client: ChannelSocket): void {
    this.sockets.add(client);
  }

  @SubscribeChannel('chat:{room}')
  join(): void {}
}

@WebSocketGateway({ path: '/other' })
class OtherGateway extends OneGateway {
  @SubscribeChannel('chat:{room}')
  override join(): void {}
}

interface Member {
  readonly client: TestClient;
  readonly id: string;
}

interface Rig {
  readonly app: ChannelsTestApp;
  /** Two connections of Ada and one of Bob; the first is in `chat:1` and `chat:2`, the others in `chat:1`. */
  readonly members: readonly [Member, Member, Member];
  readonly observer: RecordingObserver;
}

async function start(): Promise<Rig> {
  const observer = new RecordingObserver();
  const app = await startApp({
    providers: [OneGateway, OtherGateway, Sockets],
    channels: {
      session: ({ url = '' }) => ({ principal: url.split('user=')[1] ?? '' }),
      observers: [observer],
    },
  });
  const connect = async (path: string, ...channels: readonly string[]): Promise<Member> => {
    const client = await app.connect(path);
    for (const channel of channels) await client.subscribe(channel);
    const { id } = await app.nest.get(Sockets).next();
    return { client, id };
  };
  const members = [
    await connect('/one?user=ada', 'chat:1', 'chat:2'),
    await connect('/other?user=ada', 'chat:1'),
    await connect('/one?user=bob', 'chat:1'),
  ] as const;
  return { app, members: [...members], observer };
}

describe('connections', () => {
  it('are told with their path, principal and channels, and with the nodes that were asked', async () => {
    const { app, members } = await start();

    const answer = await app.channels.connections();

    expect(answer).toEqual({
      connections: [
        { id: members[0].id, principal: 'ada', path: '/one', channels: ['chat:1', 'chat:2'] },
        { id: members[1].id, principal: 'ada', path: '/other', channels: ['chat:1'] },
        { id: members[2].id, principal: 'bob', path: '/one', channels: ['chat:1'] },
      ],
      more: false,
      nodes: THIS_NODE,
    });
  });

  it.each<[string, (rig: Rig) => ConnectionFilter, readonly number[]]>([
    ['an id', ({ members }) => ({ connectionId: members[1].id }), [1]],
    ['a principal', () => ({ principal: 'ada' }), [0, 1]],
    ['a channel', () => ({ channel: 'chat:2' }), [0]],
    ['a principal and a channel', () => ({ principal: 'bob', channel: 'chat:1' }), [2]],
    [
      'an id and a principal that do not fit',
      ({ members }) => ({ connectionId: members[0].id, principal: 'bob' }),
      [],
    ],
    [
      'an id and a channel that do not fit',
      ({ members }) => ({ connectionId: members[1].id, channel: 'chat:2' }),
      [],
    ],
    ['an id that nobody has', () => ({ connectionId: 'nobody' }), []],
    ['a channel that nobody is in', () => ({ channel: 'chat:3' }), []],
    ['what is undefined', () => ({ principal: undefined, channel: undefined }), [0, 1, 2]],
  ])('are found by %s', async (_what, filter, expected) => {
    const rig = await start();

    const { connections } = await rig.app.channels.connections(filter(rig));

    expect(connections.map(({ id }) => id)).toEqual(expected.map((at) => rig.members[at]?.id));
  });

  it.each([
    [2, 2, true],
    [3, 3, false],
    [4, 3, false],
  ])('are told up to a limit of %i', async (limit, told, more) => {
    const { app } = await start();

    const answer = await app.channels.connections({}, { limit });

    expect([answer.connections.length, answer.more]).toEqual([told, more]);
  });

  it.each([0, 1.5, -1, Number.NaN, '3'])('refuses a limit of %j', async (limit) => {
    const { app } = await start();

    await expect(app.channels.connections({}, { limit: limit as number })).rejects.toMatchObject({
      code: 'bad_request',
    });
  });

  it('do not count any more when they are closing', async () => {
    const { app } = await start();

    const { disconnected } = await app.channels.disconnect({ principal: 'ada' });
    const { connections } = await app.channels.connections();

    expect([disconnected, connections.map(({ principal }) => principal)]).toEqual([2, ['bob']]);
  });
});

describe('subscribers', () => {
  it('are the connections in a channel, with the nodes that were asked', async () => {
    const { app, members } = await start();

    const answers = [await app.channels.subscribers('chat:2'), await app.channels.subscribers('chat:3')];

    expect(answers).toEqual([
      {
        subscribers: [{ id: members[0].id, principal: 'ada', path: '/one', channels: ['chat:1', 'chat:2'] }],
        more: false,
        nodes: THIS_NODE,
      },
      { subscribers: [], more: false, nodes: THIS_NODE },
    ]);
  });

  it('are only those who are in now', async () => {
    const { app, members, observer } = await start();

    await members[0].client.unsubscribe('chat:1');
    members[1].client.terminate();
    await observer.until(({ closes }) => closes.length === 1);
    const { subscribers } = await app.channels.subscribers('chat:1');

    expect(subscribers.map(({ id }) => id)).toEqual([members[2].id]);
  });
});

describe('disconnect', () => {
  it.each<[string, (rig: Rig) => ConnectionFilter, readonly number[]]>([
    ['its id', ({ members }) => ({ connectionId: members[2].id }), [2]],
    ['a principal', () => ({ principal: 'ada' }), [0, 1]],
    ['a channel', () => ({ channel: 'chat:1' }), [0, 1, 2]],
    ['a principal in a channel', () => ({ principal: 'ada', channel: 'chat:2' }), [0]],
  ])('closes by %s, with 1000, and nobody else', async (_what, filter, expected) => {
    const rig = await start();

    const answer = await rig.app.channels.disconnect(filter(rig));
    const closes = await Promise.all(expected.map((at) => rig.members[at]?.client.closed));
    const { connections } = await rig.app.channels.connections();

    expect(answer).toEqual({ disconnected: expected.length, nodes: THIS_NODE });
    expect(closes.map((close) => close?.code)).toEqual(expected.map(() => 1000));
    expect(connections).toHaveLength(3 - expected.length);
  });

  it('closes with 1012 where the client is to come back', async () => {
    const { app, members } = await start();

    await app.channels.disconnect({ principal: 'bob' }, { reconnect: true });

    expect(await members[2].client.closed).toMatchObject({ code: 1012 });
  });

  it.each([
    ['says nothing', {}],
    ['says undefined', { connectionId: undefined, principal: undefined, channel: undefined }],
    // Of a misspelt member nothing was known, so that it fitted everybody.
    ['is misspelt', { principle: 'ada' } as ConnectionFilter],
    ['fits nobody', { principal: 'eve' }],
  ])('closes nobody where the filter %s', async (_what, filter) => {
    const { app, members } = await start();

    const { disconnected } = await app.channels.disconnect(filter);

    expect(disconnected).toBe(0);
    for (const { client } of members) expect((await framesOf(client)).length).toBeGreaterThan(0);
  });

  it('lets what was sent before arrive', async () => {
    const { app, members } = await start();

    await app.channels.publish('chat:1', 'message', 'good-bye');
    await app.channels.disconnect({ channel: 'chat:1' });
    await Promise.all(members.map(({ client }) => client.closed));

    for (const { client } of members) expect(client.frames.at(-1)).toMatchObject({ data: 'good-bye' });
  });
});

import { ParseIntPipe, UseInterceptors, type CallHandler, type NestInterceptor } from '@nestjs/common';
import { ConnectedSocket, MessageBody, WebSocketGateway } from '@nestjs/websockets';
import { ChannelName, ChannelParam, ChannelSocket, SubscribeChannel } from 'nestjs-channels';
import { EMPTY, map, of, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { enter, framesOf, publication, startRoom } from '../support/room.js';
import { startApp } from '../support/start-app.js';

describe('$subscribe', () => {
  it('acks with the channel and with what the method has returned', async () => {
    const rig = await startRoom();

    const ack = await enter(rig, 'room:lobby', { topic: 'Welcome' });

    expect(ack).toEqual({
      ack: expect.any(String),
      data: { channel: 'room:lobby', data: { topic: 'Welcome' } },
    });
  });

  it('leaves the data of the ack out where the method returns nothing', async () => {
    const rig = await startRoom();

    const ack = await enter(rig, 'room:lobby', undefined);

    expect(ack.data).toEqual({ channel: 'room:lobby' });
  });

  it('keeps a returned { event, data } whole: it is the state of the channel', async () => {
    const rig = await startRoom();

    const ack = await enter(rig, 'room:lobby', { event: 'e', data: 1 });

    expect(ack.data).toEqual({ channel: 'room:lobby', data: { event: 'e', data: 1 } });
  });

  it('sends the publications of the channel to its subscribers and to nobody else', async () => {
    const rig = await startRoom();
    const stranger = await rig.app.connect('/ws');
    await enter(rig, 'room:lobby');

    await rig.app.channels.publish('room:lobby', 'message', { text: 'hello' });
    await rig.app.channels.publish('room:other', 'message', 'not for us');

    expect((await framesOf(rig.client)).slice(1)).toEqual([publication('room:lobby', { text: 'hello' })]);
    expect(await framesOf(stranger)).toEqual([]);
  });

  it('answers two subscriptions with the same id each for itself', async () => {
    const rig = await startRoom();

    for (const channel of ['room:1', 'room:2']) {
      rig.client.send({ event: '$subscribe', id: 7, data: { channel } });
      (await rig.room.joins.next()).resolve();
    }

    const acks = [await rig.client.next(), await rig.client.next()];
    expect(acks).toEqual([
      { ack: 7, data: { channel: 'room:1' } },
      { ack: 7, data: { channel: 'room:2' } },
    ]);
  });
});

describe('parameters of a @SubscribeChannel method', () => {
  @WebSocketGateway({ path: '/ws' })
  class ParamsGateway {
    @SubscribeChannel('org:{org}:team:{team}')
    join(
      @ChannelParam() all: object,
      @ChannelParam('team', ParseIntPipe) team: number,
      @ChannelParam('toString') inherited: unknown,
      @ChannelName() name: string,
      @MessageBody() body: unknown,
      @ConnectedSocket() client: ChannelSocket,
    ): unknown {
      return { all, team, inherited: inherited ?? 'nothing', name, body, client: client.id };
    }

    @SubscribeChannel('bare')
    bare(client: ChannelSocket, body: unknown): unknown {
      return [client.id, body];
    }

    @SubscribeChannel('member:{id}')
    member(@MessageBody('page', ParseIntPipe) page: number): unknown {
      return page;
    }
  }

  async function connect() {
    const app = await startApp({ providers: [ParamsGateway] });
    const client = await app.connect('/ws');
    const { connections } = await app.channels.connections();
    return { client, id: connections[0]?.id };
  }

  it('are the parts of the name, the name, and what the client sent as params', async () => {
    const { client, id } = await connect();

    const ack = await client.subscribe('org:acme:team:7', { params: { since: 'noon' } });

    expect(ack.data).toMatchObject({
      data: {
        all: { org: 'acme', team: '7' },
        team: 7,
        inherited: 'nothing',
        name: 'org:acme:team:7',
        body: { since: 'noon' },
        client: id,
      },
    });
  });

  it('are the client and the params where the method has no decorators', async () => {
    const { client, id } = await connect();

    const ack = await client.subscribe('bare', { params: [1, 2] });

    expect(ack.data).toMatchObject({ data: [id, [1, 2]] });
  });

  it.each([
    ['a part of the name', 'org:acme:team:seven', undefined],
    ['a member of the params', 'member:1', { page: 'seven' }],
    ['params that are missing', 'member:1', undefined],
  ])('are refused with bad_request by a pipe on %s', async (_what, channel, params) => {
    const { client } = await connect();

    const ack = await client.subscribe(channel, { params });

    expect(ack.error).toMatchObject({ code: 'bad_request', retryable: false, details: { statusCode: 400 } });
  });
});

describe('a @SubscribeChannel method with an Observable', () => {
  class Doubled implements NestInterceptor {
    intercept(_context: unknown, next: CallHandler<number>): Observable<number> {
      return next.handle().pipe(map((value) => value * 2));
    }
  }

  @WebSocketGateway({ path: '/ws' })
  class StreamGateway {
    @SubscribeChannel('three')
    three(): Observable<number> {
      return of(1, 2, 3);
    }

    @SubscribeChannel('none')
    none(): Observable<number> {
      return EMPTY;
    }

    @SubscribeChannel('later')
    later(): Promise<Observable<number>> {
      return Promise.resolve(of(4, 5));
    }

    @SubscribeChannel('doubled')
    @UseInterceptors(Doubled)
    doubled(): Observable<number> {
      return of(6, 7);
    }
  }

  it.each([
    ['three', { data: 3 }],
    ['none', {}],
    ['later', { data: 5 }],
    ['doubled', { data: 14 }],
  ])('is acked once, with the last value: %s', async (channel, expected) => {
    const app = await startApp({ providers: [StreamGateway] });
    const client = await app.connect('/ws');

    await client.subscribe(channel);

    expect(await framesOf(client)).toEqual([{ ack: expect.any(String), data: { channel, ...expected } }]);
  });
});

describe('channels of several gateways', () => {
  @WebSocketGateway({ path: '/ws' })
  class ChatGateway {
    @SubscribeChannel('chat:{room}')
    join(): string {
      return 'chat';
    }
  }

  @WebSocketGateway({ path: '/ws' })
  class NewsGateway {
    @SubscribeChannel('chat:news')
    join(): string {
      return 'news';
    }
  }

  @WebSocketGateway({ path: '/other' })
  class OtherGateway {
    @SubscribeChannel('chat:{room}')
    join(@ChannelParam('room') room: string): string {
      return `other ${room}`;
    }
  }

  it('are one table on one path: a literal goes before a parameter', async () => {
    const app = await startApp({ providers: [ChatGateway, NewsGateway] });
    const client = await app.connect('/ws');

    const acks = [await client.subscribe('chat:news'), await client.subscribe('chat:1')];

    expect(acks.map(({ data }) => data)).toEqual([
      { channel: 'chat:news', data: 'news' },
      { channel: 'chat:1', data: 'chat' },
    ]);
  });

  it('may have the same pattern on two paths, with the publications of one name for both', async () => {
    const app = await startApp({ providers: [ChatGateway, OtherGateway] });
    const [one, other] = [await app.connect('/ws'), await app.connect('/other')];

    const acks = [await one.subscribe('chat:1'), await other.subscribe('chat:1')];
    await app.channels.publish('chat:1', 'message', 'to both');

    expect(acks.map(({ data }) => data)).toMatchObject([{ data: 'chat' }, { data: 'other 1' }]);
    expect((await framesOf(one)).slice(1)).toEqual([publication('chat:1', 'to both')]);
    expect((await framesOf(other)).slice(1)).toEqual([publication('chat:1', 'to both')]);
  });

  it('are not to be had on another path', async () => {
    const app = await startApp({ providers: [NewsGateway, OtherGateway] });
    const client = await app.connect('/ws');

    const { error } = await client.subscribe('chat:1');

    expect(error).toMatchObject({ code: 'unknown_channel' });
  });
});

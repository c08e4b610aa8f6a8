import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import {
  Acked,
  ChannelParam,
  OnHandshake,
  SubscribeChannel,
  type ChannelSocket,
  type HandshakeRequest,
} from 'nestjs-channels';
import { describe, expect, it, onTestFinished } from 'vitest';
import { watchProcess } from '../support/process-faults.js';
import { startApp } from '../support/start-app.js';

const INHERITED = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype', 'valueOf'];

/** As many characters as the id of a client has to have. */
const asClientId = (name: string): string => name.padEnd(22, '_');

/** What ran, in the order in which it did. */
const runs: string[] = [];

@WebSocketGateway({ path: '/tenants/:tenant/ws' })
class CarelessGateway {
  /** As an application may keep it, though it should not. */
  static settings: Record<string, unknown> = {};
  static request: HandshakeRequest | undefined;

  @OnHandshake()
  onHandshake(request: HandshakeRequest): object {
    CarelessGateway.request = request;
    return {};
  }

  @SubscribeMessage('merge')
  merge(@MessageBody() data: object): unknown {
    runs.push('merge');
    CarelessGateway.settings = Object.assign({}, data) as Record<string, unknown>;
    return CarelessGateway.settings;
  }

  @SubscribeMessage('order')
  @Acked()
  order(@MessageBody() data: unknown): unknown {
    runs.push('order');
    return data;
  }

  @SubscribeMessage('who')
  who(@ConnectedSocket() client: ChannelSocket): unknown {
    runs.push('who');
    return client.params['tenant'];
  }

  @SubscribeChannel('room:{name}')
  join(@ChannelParam('name') name: string, @MessageBody() params: unknown): unknown {
    runs.push('join');
    return { name, params };
  }
}

async function start(name = 'acme') {
  runs.length = 0;
  CarelessGateway.settings = {};
  const members = Object.getOwnPropertyNames(Object.prototype);
  const faults = watchProcess();
  onTestFinished(() => {
    expect('isAdmin' in {}).toBe(false);
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(members);
    expect(faults).toEqual([]);
  });
  const app = await startApp({ providers: [CarelessGateway] });
  return { app, client: await app.connect(`/tenants/${name}/ws?${name}=1&${name}=2`) };
}

describe('a name that every object inherits', () => {
  it.each(INHERITED)('runs no handler as an event: %s', async (event) => {
    const { client } = await start();

    const answer = await client.request(event, { isAdmin: true });

    expect(answer.error?.code).toBe('unknown_event');
    expect(runs).toEqual([]);
  });

  it.each(INHERITED)('runs no method as a channel: %s', async (channel) => {
    const { client } = await start();

    const answers = [
      await client.subscribe(channel),
      await client.request('$history', { channel }),
      await client.request('$presence', { channel }),
      await client.unsubscribe(channel),
    ];

    expect(answers.map(({ error }) => error?.code)).toEqual([
      'unknown_channel',
      'not_subscribed',
      'not_subscribed',
      'not_subscribed',
    ]);
    expect(runs).toEqual([]);
  });

  it.each(INHERITED)('is a text as the parameter of a channel and of a path: %s', async (name) => {
    const { client } = await start(name);

    const joined = await client.subscribe(`room:${name}`);

    expect(joined.data).toMatchObject({ data: { name } });
    expect((await client.request('who')).data).toBe(name);
    expect(CarelessGateway.request?.query[name]).toEqual(['1', '2']);
  });

  it.each(INHERITED)('deduplicates as an id, and no other id: %s', async (id) => {
    const { client } = await start();

    const answers = [
      await client.request('order', 1, { id }),
      await client.request('order', 1, { id }),
      await client.request('order', 1, { id: `${id}_` }),
    ];

    expect(answers.map(({ data }) => data)).toEqual([1, 1, 1]);
    expect(runs).toEqual(['order', 'order']);
  });

  it.each(INHERITED)('is the name of one client: %s', async (name) => {
    const { app, client } = await start();
    const [other, same] = [await app.connect('/tenants/a/ws'), await app.connect('/tenants/a/ws')];
    const hello = { clientId: asClientId(name) };

    const welcome = await client.request('$hello', hello);
    await other.request('$hello', { clientId: asClientId('x') });
    expect(await client.request('order', 1, { id: 'a' })).toMatchObject({ data: 1 });
    await same.request('$hello', hello);

    expect(welcome.error).toBeUndefined();
    expect((await client.closed).code).toBe(4509);
    expect(await same.request('order', 1, { id: 'a' })).toMatchObject({ data: 1 });
    expect(await other.request('order', 1, { id: 'a' })).toMatchObject({ data: 1 });
    expect(runs).toEqual(['order', 'order']);
  });

  it.each(INHERITED)('pollutes nothing as a key of data, of params or of a frame: %s', async (key) => {
    const { client } = await start();
    const poison = `{"${key}":{"isAdmin":true,"${key}":{"isAdmin":true}}}`;

    client.sendRaw(`{"event":"merge","id":1,"data":${poison}}`);
    client.sendRaw(`{"event":"$subscribe","id":2,"data":{"channel":"room:1","params":${poison}}}`);
    client.sendRaw(`{"event":"merge","id":3,"data":{},"${key}":{"isAdmin":true}}`);
    const answers = [1, 2, 3].map((ack) => client.waitFor({ ack }));
    const errors = (await Promise.all(answers)).map(
      (frame) => (frame as { error?: { code: string } }).error?.code,
    );

    const refused = key === '__proto__' ? 'bad_request' : undefined;
    expect(errors).toEqual([refused, refused, refused]);
    expect((CarelessGateway.settings as { isAdmin?: unknown }).isAdmin).toBeUndefined();
  });

  // The one before proves nothing unless a server that takes such a key is polluted by it.
  it('would give rights away where it were accepted', () => {
    const data = JSON.parse('{"__proto__":{"isAdmin":true}}') as object;

    expect((Object.assign({}, data) as { isAdmin?: unknown }).isAdmin).toBe(true);
  });
});

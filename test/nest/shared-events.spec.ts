import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import type { ChannelsModuleOptions } from 'nestjs-channels';
import { TestClock, type ChannelsTestApp } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { Deferred } from '../support/deferred.js';
import { startApp } from '../support/start-app.js';

const PLAIN = { protocols: [] };

/** Lets a test decide what the handlers do. */
class Script {
  readonly calls: string[] = [];
  first: (data: unknown) => unknown = () => 'first';
  second: (data: unknown) => unknown = () => ({ event: 'second', data: 2 });
}

@WebSocketGateway({ path: '/ws' })
class FirstGateway {
  constructor(private readonly script: Script) {}

  @SubscribeMessage('shared')
  shared(@MessageBody() data: unknown): unknown {
    this.script.calls.push('first');
    return this.script.first(data);
  }

  @SubscribeMessage('echo')
  echo(@MessageBody() data: unknown): unknown {
    return { event: 'echoed', data };
  }
}

@WebSocketGateway({ path: '/ws' })
class SecondGateway {
  constructor(private readonly script: Script) {}

  @SubscribeMessage('shared')
  shared(@MessageBody() data: unknown): unknown {
    this.script.calls.push('second');
    return this.script.second(data);
  }
}

interface Rig {
  readonly app: ChannelsTestApp;
  readonly script: Script;
}

async function start(channels?: ChannelsModuleOptions, clock?: TestClock): Promise<Rig> {
  const script = new Script();
  const app = await startApp({
    providers: [FirstGateway, SecondGateway, { provide: Script, useValue: script }],
    channels,
    clock,
  });
  return { app, script };
}

describe('an event that two gateways of a path handle', () => {
  it('runs both, and the first one answers the id', async () => {
    const { app, script } = await start();
    const client = await app.connect('/ws');

    await client.request('shared', undefined, { id: 1 });
    await client.waitFor({ event: 'second' });

    expect(script.calls).toEqual(['first', 'second']);
    expect(client.frames).toContainEqual({ ack: 1, data: 'first' });
    expect(client.frames.filter((frame) => Object.hasOwn(frame as object, 'ack'))).toHaveLength(1);
  });

  it('runs both for a message without an id, and both reply', async () => {
    const { app, script } = await start();
    const client = await app.connect('/ws', PLAIN);

    client.send({ event: 'shared' });
    await client.waitFor({ event: 'second' });

    expect(script.calls).toEqual(['first', 'second']);
    expect(client.frames).toEqual(['first', { event: 'second', data: 2 }]);
  });

  it('runs the second where the first one throws', async () => {
    const { app, script } = await start();
    const client = await app.connect('/ws');
    script.first = () => {
      throw new Error('no');
    };

    const answer = await client.request('shared');

    expect(answer.error?.code).toBe('internal');
    expect(script.calls).toEqual(['first', 'second']);
  });

  it('answers the id by the first where the second throws', async () => {
    const { app, script } = await start();
    const client = await app.connect('/ws');
    script.second = () => Promise.reject(new Error('no'));

    const answer = await client.request('shared', undefined, { id: 1 });

    expect(answer).toEqual({ ack: 1, data: 'first' });
    expect(await client.waitFor({ event: 'exception' })).toMatchObject({ data: { status: 'error' } });
  });

  // A refused message is sent again; what had run already would run twice.
  it('runs neither where the message is refused', async () => {
    const { app, script } = await start({ maxInFlight: 1 });
    const client = await app.connect('/ws');
    const work = new Deferred();
    script.first = () => work.promise;
    client.send({ event: 'shared', id: 1 });

    const { error } = await client.request('shared');
    work.resolve();

    expect(error?.code).toBe('rate_limited');
    expect(script.calls).toEqual(['first', 'second']);
  });
});

describe('plainAcks: false', () => {
  it('replies to a plain connection as the stock adapter does, whatever the id', async () => {
    const { app } = await start({ plainAcks: false });
    const client = await app.connect('/ws', PLAIN);

    client.send({ event: 'echo', data: 1, id: 7 });
    client.send({ event: 'nothing', id: 8 });
    await client.waitFor({ event: 'exception' });

    expect(client.frames).toEqual([
      { event: 'echoed', data: 1 },
      { event: 'exception', data: expect.objectContaining({ code: 'unknown_event' }) },
    ]);
  });

  it('tells a plain connection of a refused key by an exception, whatever the id', async () => {
    const { app } = await start({ plainAcks: false });
    const client = await app.connect('/ws', PLAIN);

    client.sendRaw('{"event":"echo","id":1,"data":{"__proto__":1}}');

    expect(await client.next()).toMatchObject({ event: 'exception', data: { code: 'bad_request' } });
  });

  it('leaves the acks of a connection of ours alone', async () => {
    const { app } = await start({ plainAcks: false });
    const client = await app.connect('/ws');

    expect(await client.request('echo', 1, { id: 7 })).toEqual({ ack: 7, data: 1 });
  });

  it('leaves the acks of a plain connection alone that has become ours', async () => {
    const { app } = await start({ plainAcks: false });
    const client = await app.connect('/ws', PLAIN);

    await client.request('$ping');

    expect(await client.request('echo', 1, { id: 7 })).toEqual({ ack: 7, data: 1 });
  });
});

describe('the messages in flight', () => {
  it('are 64 with an id; one more is refused with a time to wait', async () => {
    const { app, script } = await start();
    const client = await app.connect('/ws');
    const work = new Deferred<string>();
    script.first = () => work.promise;
    for (let id = 1; id <= 64; id++) client.send({ event: 'shared', id });

    const refused = await client.request('shared', undefined, { id: 65 });
    work.resolve('done');
    for (let id = 1; id <= 64; id++) await client.waitFor({ ack: id, data: 'done' });

    expect(refused).toEqual({
      ack: 65,
      error: {
        code: 'rate_limited',
        message: '64 messages are unanswered',
        retryable: true,
        retryAfterMs: 1_000,
      },
    });
  });

  it('are taken again once some have been answered', async () => {
    const { app, script } = await start({ maxInFlight: 1 });
    const client = await app.connect('/ws');
    const work = new Deferred<string>();
    script.first = (data) => data ?? work.promise;
    client.send({ event: 'shared', id: 1 });
    await client.request('shared', 'refused');

    work.resolve('done');
    await client.waitFor({ ack: 1 });

    expect(await client.request('shared', 'again')).toMatchObject({ data: 'again' });
  });

  it('are free again after a timeout', async () => {
    const clock = new TestClock();
    const { app, script } = await start({ maxInFlight: 1, handlerTimeoutMs: 1_000 }, clock);
    const client = await app.connect('/ws');
    const work = new Deferred<string>();
    script.first = (data) => data ?? work.promise;
    client.send({ event: 'shared', id: 1 });
    await client.request('shared', 'refused');

    await clock.advance(1_000);
    await client.waitFor({ ack: 1 });
    const answer = await client.request('shared', 'again');
    work.resolve('late');

    expect(answer).toMatchObject({ data: 'again' });
  });

  it('do not count commands, nor messages without an id, nor those of another connection', async () => {
    const { app, script } = await start({ maxInFlight: 1 });
    const [client, other] = [await app.connect('/ws'), await app.connect('/ws')];
    const work = new Deferred<object>();
    script.first = () => work.promise;
    client.send({ event: 'shared', id: 1 });

    const ping = await client.request('$ping', undefined, { id: 2 });
    client.send({ event: 'echo', data: 3 });
    const reply = await client.waitFor({ event: 'echoed' });
    const answer = await other.request('echo', 4, { id: 5 });
    work.resolve({});

    expect([ping, reply, answer]).toEqual([{ ack: 2 }, { event: 'echoed', data: 3 }, { ack: 5, data: 4 }]);
  });
});

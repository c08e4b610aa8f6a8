import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { Acked, MessageId, type ChannelSocket } from 'nestjs-channels';
import type { TestClient } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { Deferred } from '../support/deferred.js';
import { RecordingObserver } from '../support/recording-observer.js';
import { startApp } from '../support/start-app.js';

/** Lets a test decide what a handler returns. */
class Script {
  answer: (data: unknown, client: ChannelSocket) => unknown = (data) => data;
}

@WebSocketGateway({ path: '/ws' })
class ScriptedGateway {
  constructor(private readonly script: Script) {}

  @SubscribeMessage('run')
  run(@MessageBody() data: unknown, @ConnectedSocket() client: ChannelSocket): unknown {
    return this.script.answer(data, client);
  }

  @SubscribeMessage('run.acked')
  @Acked()
  runAcked(@MessageBody() data: unknown, @ConnectedSocket() client: ChannelSocket): unknown {
    return this.script.answer(data, client);
  }

  @SubscribeMessage('id')
  id(@MessageId() id: unknown): unknown {
    return { id };
  }
}

interface Rig {
  readonly client: TestClient;
  readonly script: Script;
  readonly observer: RecordingObserver;
}

async function start(): Promise<Rig> {
  const script = new Script();
  const observer = new RecordingObserver();
  const app = await startApp({
    providers: [ScriptedGateway, { provide: Script, useValue: script }],
    channels: { observers: [observer] },
  });
  return { script, observer, client: await app.connect('/ws') };
}

/** Everything that the client has been sent, up to the answer to one more request. */
async function framesOf(client: TestClient): Promise<unknown[]> {
  await client.request('id', undefined, { id: 'last' });
  return client.frames.slice(0, -1);
}

class Thenable {
  constructor(private readonly value: unknown) {}

  // eslint-disable-next-line unicorn/no-thenable -- what query builders return: awaitable, but no Promise
  then(resolve: (value: unknown) => void): void {
    setImmediate(resolve, this.value);
  }
}

describe('an ack', () => {
  it.each([
    ['an object', { a: [1, { b: null }] }, { data: { a: [1, { b: null }] } }],
    ['an array', [1, 2], { data: [1, 2] }],
    ['null', null, { data: null }],
    ['zero', 0, { data: 0 }],
    ['an empty text', '', { data: '' }],
    ['false', false, { data: false }],
    ['undefined', undefined, {}],
    ['a function', (): void => {}, {}],
    ['{ event, data }', { event: 'reply', data: { a: 1 } }, { data: { a: 1 } }],
    ['{ event, data } without a value', { event: 'reply', data: undefined }, {}],
    ['an event without data', { event: 'reply' }, { data: { event: 'reply' } }],
    [
      'a record with an event, data and more',
      { event: 'login', data: 1, at: 2 },
      { data: { event: 'login', data: 1, at: 2 } },
    ],
    ['data beside an event that is no text', { event: 1, data: 2 }, { data: { event: 1, data: 2 } }],
  ])('carries %s', async (_, value, expected) => {
    const { client, script } = await start();
    script.answer = () => value;

    await client.request('run', undefined, { id: 7 });

    expect(await framesOf(client)).toEqual([{ ack: 7, ...expected }]);
  });

  it.each([['text'], [''], ['x'.repeat(64)], ['1'], [1], [0], [-5], [Number.MAX_SAFE_INTEGER]])(
    'repeats the id %j as it was sent',
    async (id) => {
      const { client } = await start();

      client.send({ event: 'id', id });

      expect(await client.next()).toEqual({ ack: id, data: { id } });
    },
  );

  it('is not there, and neither is the id, where nobody waits for an answer', async () => {
    const { client } = await start();

    client.send({ event: 'id' });

    expect(await client.next()).toEqual({});
  });

  it.each(['run', 'run.acked'])(
    'of %s comes only after the promise of the handler has resolved',
    async (event) => {
      const { client, script } = await start();
      const work = new Deferred<string>();
      script.answer = () => work.promise;

      client.send({ event, id: 1 });
      const before = await framesOf(client);
      work.resolve('done');

      expect(before).toEqual([]);
      expect(await client.waitFor({ ack: 1 })).toEqual({ ack: 1, data: 'done' });
    },
  );

  it('waits for what can be awaited and is no Promise', async () => {
    const { client, script } = await start();
    script.answer = () => new Thenable({ rows: 3 });

    expect(await client.request('run')).toMatchObject({ data: { rows: 3 } });
  });

  it('is sent once per frame, also where two frames have the same id', async () => {
    const { client, script } = await start();
    let runs = 0;
    script.answer = () => Promise.resolve(++runs);

    client.send({ event: 'run', id: 'same' });
    client.send({ event: 'run', id: 'same' });
    await client.waitFor({ ack: 'same', data: 2 });

    expect(await framesOf(client)).toEqual([
      { ack: 'same', data: 1 },
      { ack: 'same', data: 2 },
    ]);
  });

  it('does not wait for the ack of a message before', async () => {
    const { client, script } = await start();
    const slow = new Deferred<string>();
    script.answer = (data) => (data === 'slow' ? slow.promise : data);

    client.send({ event: 'run', data: 'slow', id: 'a' });
    client.send({ event: 'run', data: 'fast', id: 'b' });
    const first = await client.next();
    slow.resolve('slow');

    expect(first).toEqual({ ack: 'b', data: 'fast' });
    expect(await client.next()).toEqual({ ack: 'a', data: 'slow' });
  });

  it('is reported with its outcome', async () => {
    const { client, script, observer } = await start();
    script.answer = (data) => (data === 'fail' ? Promise.reject(new Error('no')) : data);

    await client.request('run', 'work');
    await client.request('run', 'fail');

    expect(observer.acks).toEqual(['run done', 'run failed']);
  });
});

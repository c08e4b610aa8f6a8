import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { SubscribeChannel } from 'nestjs-channels';
import { TestClock, type ChannelsTestApp } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { RecordingObserver } from '../support/recording-observer.js';
import { startApp } from '../support/start-app.js';

@WebSocketGateway({ path: '/ws' })
class EchoGateway {
  @SubscribeMessage('echo')
  echo(@MessageBody() data: unknown): unknown {
    return data;
  }

  @SubscribeChannel('room:{id}')
  join(): void {}
}

async function start(): Promise<{ app: ChannelsTestApp; observer: RecordingObserver }> {
  const observer = new RecordingObserver();
  const app = await startApp({ providers: [EchoGateway], channels: { observers: [observer] } });
  return { app, observer };
}

describe('$ping and $pong', () => {
  it('answers a $ping with a $pong', async () => {
    const { app } = await start();
    const client = await app.connect('/ws');

    client.send({ event: '$ping' });

    expect(await client.next()).toEqual({ event: '$pong' });
  });

  it('acks a $ping with an id instead', async () => {
    const { app } = await start();
    const client = await app.connect('/ws');

    await client.request('$ping', { any: 'data' }, { id: 'p' });
    await client.request('echo', 1, { id: 'fence' });

    expect(client.frames).toEqual([{ ack: 'p' }, { ack: 'fence', data: 1 }]);
  });

  it('does not answer a $pong', async () => {
    const { app, observer } = await start();
    const client = await app.connect('/ws');

    client.send({ event: '$pong' });
    client.send({ event: '$pong', id: 1 });
    const fence = await client.request('echo');

    expect(client.frames).toEqual([fence]);
    expect(observer.faults).toEqual([]);
  });
});

describe('$timing', () => {
  async function measured() {
    const times: number[] = [];
    const observer = Object.assign(new RecordingObserver(), {
      timed: (_connection: unknown, ms: number) => void times.push(ms),
    });
    const clock = new TestClock();
    const app = await startApp({ clock, providers: [EchoGateway], channels: { observers: [observer] } });
    const client = await app.connect('/ws');
    const tell = async (ackMs: number): Promise<unknown> =>
      client.request('$timing', { ackMs }, { id: `t${ackMs}` });
    return { client, clock, observer, tell, times };
  }

  it('tells how long an answer took, and is answered only under an id', async () => {
    const { client, times } = await measured();
    const welcome = await client.request('$hello');

    client.send({ event: '$timing', data: { ackMs: 12.5 } });
    client.send({ event: '$timing', id: 't', data: { ackMs: 0 } });
    const fence = await client.request('echo');

    expect(times).toEqual([12.5]);
    expect(client.frames).toEqual([welcome, { ack: 't' }, fence]);
  });

  it('counts once within half of the interval, from a client that has said $hello', async () => {
    const { client, clock, tell, times } = await measured();

    await tell(1);
    await client.request('$hello');
    await tell(2);
    await clock.advance(4_999);
    await tell(3);
    await clock.advance(1);
    await tell(4);

    expect(times).toEqual([2, 4]);
  });

  it('counts as a day at most', async () => {
    const { client, tell, times } = await measured();
    await client.request('$hello');

    await tell(1e300);

    expect(times).toEqual([86_400_000]);
  });

  it.each([[undefined], [null], [[]], [{}], [{ ackMs: -1 }], [{ ackMs: '1' }], [{ ackMs: null }]])(
    'is refused with data %j',
    async (data) => {
      const { client, observer, times } = await measured();

      const answer = await client.request('$timing', data, { id: 't' });

      expect(answer).toMatchObject({ ack: 't', error: { code: 'bad_request', retryable: false } });
      expect(observer.faults).toEqual(['bad_request']);
      expect(times).toEqual([]);
    },
  );

  it('is wanted only where somebody listens', async () => {
    const { client } = await measured();
    const { app } = await start();
    const limitsOf = async (peer: typeof client): Promise<object> =>
      ((await peer.request('$hello', {})).data as { readonly limits: object }).limits;

    expect(await limitsOf(client)).toHaveProperty('timingIntervalMs', 10_000);
    expect(await limitsOf(await app.connect('/ws'))).not.toHaveProperty('timingIntervalMs');
  });
});

describe('a command that is not available', () => {
  it.each(['$drain', '$subscribed', '$nonsense', '$', '$__proto__'])(
    'is answered bad_request: %s',
    async (event) => {
      const { app, observer } = await start();
      const client = await app.connect('/ws');

      const answer = await client.request(event, { channel: 'room:1' }, { id: 1 });

      const message = `"${event}" is not available`;
      expect(answer).toEqual({ ack: 1, error: { code: 'bad_request', message, retryable: false } });
      expect(observer.faults).toEqual(['bad_request']);
    },
  );
});

describe('a command without an id', () => {
  it.each(['$hello', '$subscribe', '$unsubscribe', '$history', '$presence', '$nonsense'])(
    'is told by an exception and has no effect: %s',
    async (event) => {
      const { app } = await start();
      const client = await app.connect('/ws');

      client.send({ event, data: { channel: 'room:1' } });
      const exception = await client.next();
      const { subscribers } = await app.channels.subscribers('room:1');

      expect(exception).toEqual({
        event: 'exception',
        data: { status: 'error', code: 'bad_request', message: expect.any(String) },
      });
      expect(subscribers).toEqual([]);
      expect(await client.hello()).not.toHaveProperty('error');
    },
  );

  it('is told to a plain connection, too, which thereby has become ours', async () => {
    const { app } = await start();
    const client = await app.connect('/ws', { protocols: [] });

    for (let sent = 0; sent < 3; sent++) client.send({ event: '$nonsense' });
    await client.request('echo');

    expect(client.frames.filter((frame) => (frame as { event?: string }).event === 'exception')).toHaveLength(
      3,
    );
  });
});

describe('an answer to no request', () => {
  it.each([
    ['data', { ack: 1, data: 2 }],
    ['an error', { ack: 'a', error: { code: 'internal' } }],
    ['nothing', { ack: 'a' }],
  ])('is counted and dropped: %s', async (_, frame) => {
    const { app, observer } = await start();
    const client = await app.connect('/ws');

    client.send(frame);
    const fence = await client.request('echo');

    expect(client.frames).toEqual([fence]);
    expect(observer.faults).toEqual(['late_ack']);
  });

  it('is a message where the frame has an event as well', async () => {
    const { app } = await start();
    const client = await app.connect('/ws');

    client.send({ event: 'echo', ack: 1, data: 2, id: 3 });

    expect(await client.next()).toEqual({ ack: 3, data: 2 });
  });
});

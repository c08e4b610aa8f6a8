import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { Acked, defineChannel, SubscribeChannel, type ChannelSocket } from 'nestjs-channels';
import { describe, expect, it } from 'vitest';
import { watchProcess } from '../support/process-faults.js';
import { RecordingObserver } from '../support/recording-observer.js';
import { startApp } from '../support/start-app.js';

/** A value of so many levels, of arrays and of objects in turn. */
function nested(levels: number): unknown {
  let value: unknown = 'core';
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

/** Levels of a frame, itself being the first, by default. */
const MAX_NESTING = 32;

let levels = 0;

@WebSocketGateway({ path: '/ws' })
class DeepGateway {
  static socket: ChannelSocket | undefined;

  handleConnection(client: ChannelSocket): void {
    DeepGateway.socket = client;
  }

  @SubscribeMessage('answer')
  answer(): unknown {
    return { event: 'answered', data: nested(levels) };
  }

  @SubscribeMessage('acked')
  @Acked()
  acked(): unknown {
    return nested(levels);
  }

  @SubscribeMessage('echo')
  echo(): string {
    return 'here';
  }

  @SubscribeChannel('deep:{id}')
  join(): unknown {
    return nested(levels);
  }

  @SubscribeChannel(defineChannel('past:{id}', { history: true }))
  joinPast(): void {}
}

async function start() {
  const processFaults = watchProcess();
  const observer = new RecordingObserver();
  const app = await startApp({ providers: [DeepGateway], channels: { observers: [observer] } });
  const client = await app.connect('/ws');
  const expectUnharmed = async (): Promise<void> => {
    expect(await client.request('echo')).toMatchObject({ data: 'here' });
    expect(processFaults).toEqual([]);
  };
  return { app, client, observer, expectUnharmed };
}

describe('what the server sends', () => {
  it.each([
    ['an answer', (id: number) => ({ event: 'answer', id }), 1],
    ['a stored answer', (id: number) => ({ event: 'acked', id }), 1],
    ['the state of a channel', (id: number) => ({ event: '$subscribe', id, data: { channel: 'deep:1' } }), 2],
  ])('nests 32 levels and not one more: %s', async (_, frameOf, around) => {
    const { client, observer, expectUnharmed } = await start();

    levels = MAX_NESTING - around;
    client.send(frameOf(1));
    const deepest = await client.waitFor({ ack: 1 });
    levels += 1;
    client.send(frameOf(2));
    const deeper = await client.waitFor({ ack: 2 });

    expect(JSON.stringify(deepest)).toContain(JSON.stringify(nested(MAX_NESTING - around)));
    expect(deeper).toMatchObject({ error: { code: 'internal' } });
    expect(String(observer.failures[0]?.error)).toContain('maxNesting');
    await expectUnharmed();
  });

  it('nests 32 levels and not one more where nobody asked for an answer', async () => {
    const { client, expectUnharmed } = await start();

    levels = MAX_NESTING - 1;
    client.send({ event: 'answer' });
    const deepest = await client.next();
    levels += 1;
    client.send({ event: 'answer' });

    expect(deepest).toEqual({ event: 'answered', data: nested(MAX_NESTING - 1) });
    expect(await client.next()).toMatchObject({ event: 'exception', data: { status: 'error' } });
    await expectUnharmed();
  });

  it.each(['deep:1', 'past:1'])(
    'nests 32 levels and not one more where it publishes: %s',
    async (channel) => {
      const { app, client, expectUnharmed } = await start();
      levels = 0;
      await client.subscribe(channel);

      await app.channels.publish(channel, 'news', nested(MAX_NESTING - 1));
      const refused = app.channels.publish(channel, 'news', nested(MAX_NESTING));

      await expect(refused).rejects.toMatchObject({ code: 'bad_request' });
      expect(await client.waitFor({ channel })).toMatchObject({ data: nested(MAX_NESTING - 1) });
      await expectUnharmed();
    },
  );

  it('answers $history also of what is nested as deep as it may be', async () => {
    const { app, client } = await start();
    await client.subscribe('past:2');
    await app.channels.publish('past:2', 'deep', nested(MAX_NESTING - 1));
    await app.channels.publish('past:2', 'none');

    const answer = await client.request('$history', { channel: 'past:2' });

    expect(answer.data).toMatchObject({
      offset: 2,
      publications: [
        { event: 'deep', data: nested(MAX_NESTING - 1), offset: 1 },
        { event: 'none', offset: 2 },
      ],
      more: false,
    });
  });

  it('refuses a push and a request that nest deeper, and sends nothing of them', async () => {
    const { client, expectUnharmed } = await start();
    const socket = DeepGateway.socket as ChannelSocket;

    expect(() => socket.push('deep', nested(MAX_NESTING))).toThrow('maxNesting');
    await expect(socket.request('deep', nested(MAX_NESTING))).rejects.toMatchObject({ code: 'bad_request' });
    socket.push('deep', nested(MAX_NESTING - 1));

    expect(await client.next()).toEqual({ event: 'deep', data: nested(MAX_NESTING - 1) });
    await expectUnharmed();
  });
});

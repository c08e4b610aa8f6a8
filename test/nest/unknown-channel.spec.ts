import { WebSocketGateway } from '@nestjs/websockets';
import { SubscribeChannel, UnsubscribeChannel } from 'nestjs-channels';
import { describe, expect, it } from 'vitest';
import { startApp } from '../support/start-app.js';

describe('an unknown channel', () => {
  @WebSocketGateway({ path: '/ws' })
  class Gateway {
    @SubscribeChannel('chat:{room}')
    join(): void {}

    @UnsubscribeChannel('left:{room}')
    leave(): void {}
  }

  it.each([
    ['no pattern matches', 'news:1'],
    ['it has too few segments', 'chat'],
    ['it has too many segments', 'chat:1:2'],
    ['its parameter is empty', 'chat:'],
    ['its pattern can only be left', 'left:1'],
    ['it is a pattern', 'chat:{room}'],
    ['it is empty', ''],
    ['it has a space', 'chat:a b'],
    ['it has a line break', 'chat:a\n'],
    ['it has a letter that is not ASCII', 'chat:caf\u00e9'],
    ['it is longer than 255 characters', `chat:${'a'.repeat(251)}`],
    ['it is a number', 7],
    ['it is null', null],
    ['it is an object', { toString: 'chat:1' }],
    ['it is an array', ['chat:1']],
    ['it is missing', undefined],
  ])('is answered unknown_channel: %s', async (_why, channel) => {
    const app = await startApp({ providers: [Gateway] });
    const client = await app.connect('/ws');

    const { error } = await client.request('$subscribe', { channel });

    expect(error).toMatchObject({ code: 'unknown_channel', retryable: false });
  });

  it('is none with 255 characters', async () => {
    const app = await startApp({ providers: [Gateway] });
    const client = await app.connect('/ws');
    const channel = `chat:${'a'.repeat(250)}`;

    const { data } = await client.subscribe(channel);

    expect(data).toEqual({ channel });
  });

  it.each([undefined, null, 'chat:1', 7, ['chat:1']])(
    'is a bad_request where the data is no object: %j',
    async (data) => {
      const app = await startApp({ providers: [Gateway] });
      const client = await app.connect('/ws');

      const acks = [await client.request('$subscribe', data), await client.request('$unsubscribe', data)];

      expect(acks.map(({ error }) => error?.code)).toEqual(['bad_request', 'bad_request']);
    },
  );

  it.each(['chat:1', 'left:1', 'news:1'])('is not_subscribed to one who would leave it: %s', async (name) => {
    const app = await startApp({ providers: [Gateway] });
    const client = await app.connect('/ws');

    const { error } = await client.unsubscribe(name);

    expect(error).toEqual({
      code: 'not_subscribed',
      message: `this connection is not in "${name}"`,
      retryable: false,
    });
  });

  it.each(['', 'a b', 7, undefined])('is no name to leave either: %j', async (channel) => {
    const app = await startApp({ providers: [Gateway] });
    const client = await app.connect('/ws');

    const { error } = await client.request('$unsubscribe', { channel });

    expect(error).toMatchObject({ code: 'unknown_channel' });
  });
});

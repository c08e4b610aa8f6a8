import type { Provider } from '@nestjs/common';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { Acked, defineChannel, SubscribeChannel, UnsubscribeChannel } from 'nestjs-channels';
import { createChannelsTestApp } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';

/** Why an application with these gateways did not start. */
async function refusalOf(gateways: () => Provider[]): Promise<string> {
  // Some patterns are refused by their decorator already, when the class is defined.
  const starting = (async () => createChannelsTestApp({ providers: gateways() }))();
  const outcome: unknown = await starting.catch((error: unknown) => error);
  if (outcome instanceof TypeError) return outcome.message;
  throw new Error('no TypeError has refused the start', { cause: outcome });
}

/** A gateway on `/ws` whose first method has these decorators. */
function gateway(...decorators: readonly MethodDecorator[]): () => Provider[] {
  return () => {
    @WebSocketGateway({ path: '/ws' })
    class ChatGateway {
      first(): void {}
      second(): void {}
    }
    decorate(ChatGateway, 'first', ...decorators);
    return [ChatGateway];
  };
}

/** As if the decorators stood at the method. */
function decorate(
  { prototype }: { readonly prototype: object },
  method: string,
  ...decorators: readonly MethodDecorator[]
): void {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, method) ?? {};
  for (const decorator of decorators) decorator(prototype, method, descriptor);
}

describe('the start refuses channels', () => {
  it('of patterns that match the same names', async () => {
    @WebSocketGateway({ path: '/ws' })
    class OneGateway {
      @SubscribeChannel('chat:{room}')
      join(): void {}
    }
    @WebSocketGateway({ path: '/ws' })
    class OtherGateway {
      @SubscribeChannel('chat:{id}')
      join(): void {}
    }

    const message = await refusalOf(() => [OneGateway, OtherGateway]);

    expect(message).toBe('"chat:{id}" and "chat:{room}" match the same names; keep one of them.');
  });

  it('that are joined by one pattern and left by another', async () => {
    const message = await refusalOf(() => {
      @WebSocketGateway({ path: '/ws' })
      class ChatGateway {
        @SubscribeChannel('chat:{room}')
        join(): void {}

        @UnsubscribeChannel('chat:{id}')
        leave(): void {}
      }
      return [ChatGateway];
    });

    expect(message).toBe('"chat:{id}" and "chat:{room}" match the same names; keep one of them.');
  });

  it.each([
    [
      SubscribeChannel,
      'ChatGateway.second: "chat:{room}" has a @SubscribeChannel() already; keep one of them.',
    ],
    [
      UnsubscribeChannel,
      'ChatGateway.second: "chat:{room}" has an @UnsubscribeChannel() already; keep one of them.',
    ],
  ])('with two methods of one kind: %o', async (Decorator, expected) => {
    const message = await refusalOf(() => {
      @WebSocketGateway({ path: '/ws' })
      class ChatGateway {
        @Decorator('chat:{room}')
        first(): void {}

        @Decorator('chat:{room}')
        second(): void {}
      }
      return [ChatGateway];
    });

    expect(message).toBe(expected);
  });

  it.each([
    ['chat:{}', '"chat:{}": the name of a parameter is a letter, then letters, digits or "_"; got "".'],
    [
      'chat:{1st}',
      '"chat:{1st}": the name of a parameter is a letter, then letters, digits or "_"; got "1st".',
    ],
    [
      '{__proto__}',
      '"{__proto__}": the name of a parameter is a letter, then letters, digits or "_"; got "__proto__".',
    ],
    ['chat:{a}:{a}', '"chat:{a}:{a}": two parameters are named "a"; rename one of them.'],
    [
      'chat room',
      '"chat room": "chat room" must be a parameter, written {name}, or text of [A-Za-z0-9_.@=+~-].',
    ],
    [
      'chat:room-{id}',
      '"chat:room-{id}": "room-{id}" must be a parameter, written {name}, or text of [A-Za-z0-9_.@=+~-].',
    ],
    ['chat:*', '"chat:*": "*" must be a parameter, written {name}, or text of [A-Za-z0-9_.@=+~-].'],
    ['', '"" matches no name: a channel has 1 to 255 characters.'],
  ])('of the pattern "%s"', async (pattern, expected) => {
    const messages = [
      await refusalOf(() => gateway(SubscribeChannel(pattern))()),
      await refusalOf(() => gateway(UnsubscribeChannel(pattern))()),
    ];

    expect(messages).toEqual([expected, expected]);
  });

  it.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('with a joinBufferBytes of %d', async (bytes) => {
    const message = await refusalOf(() => gateway(SubscribeChannel('chat', { joinBufferBytes: bytes }))());

    expect(message).toBe(`"chat": joinBufferBytes (${bytes}) must be a whole number of at least 0.`);
  });

  it('of a definition that is given options once more', async () => {
    const chat = defineChannel('chat:{room}');

    const message = await refusalOf(() => gateway(SubscribeChannel(chat, { joinBufferBytes: 1 }))());

    expect(message).toBe('"chat:{room}": options belong into its defineChannel(...), not beside it.');
  });

  it('with other options on another path', async () => {
    @WebSocketGateway({ path: '/one' })
    class OneGateway {
      @SubscribeChannel('chat:{room}')
      join(): void {}
    }
    @WebSocketGateway({ path: '/other' })
    class OtherGateway {
      @SubscribeChannel('chat:{room}', { joinBufferBytes: 1 })
      join(): void {}
    }

    const message = await refusalOf(() => [OneGateway, OtherGateway]);

    expect(message).toMatch(
      /^(One|Other)Gateway: "chat:\{room\}" has other options elsewhere; share one defineChannel\(\.\.\.\)\.$/,
    );
  });
});

describe('the start refuses handlers', () => {
  it.each(['$subscribe', '$', '$mine'])('of the reserved event %s', async (event) => {
    const message = await refusalOf(gateway(SubscribeMessage(event)));

    expect(message).toBe(
      `ChatGateway.first: "${event}" is reserved, as all events that begin with "$" are; rename it.`,
    );
  });

  it.each([
    [{ cmd: 'chat' }, '{"cmd":"chat"}'],
    [5, '5'],
  ])('of an event that is no text: %j', async (event, got) => {
    const message = await refusalOf(gateway(SubscribeMessage(event as never)));

    expect(message).toBe(`ChatGateway.first: the event of @SubscribeMessage() must be a string, got ${got}.`);
  });

  it('that are @Acked() without an event', async () => {
    const message = await refusalOf(gateway(Acked()));

    expect(message).toBe('ChatGateway.first: @Acked() needs a @SubscribeMessage() beside it.');
  });

  it.each([
    ['both are', [Acked()], [Acked()]],
    ['the first is', [Acked()], []],
    ['the second is', [], [Acked()]],
  ])('of one event in two gateways where %s @Acked()', async (_which, ofOne, ofOther) => {
    @WebSocketGateway({ path: '/ws' })
    class OneGateway {
      @SubscribeMessage('send')
      send(): void {}
    }
    @WebSocketGateway({ path: '/ws' })
    class OtherGateway {
      @SubscribeMessage('send')
      send(): void {}
    }
    decorate(OneGateway, 'send', ...ofOne);
    decorate(OtherGateway, 'send', ...ofOther);

    const message = await refusalOf(() => [OneGateway, OtherGateway]);

    expect(message).toBe(
      'OneGateway.send and OtherGateway.send both handle "send" on /ws, ' +
        'but an @Acked() event has one handler; rename one.',
    );
  });
});

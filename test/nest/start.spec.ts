import { Injectable, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { WsAdapter } from '@nestjs/platform-ws';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import {
  Acked,
  ChannelsAdapter,
  ChannelsModule,
  ChannelsService,
  OnHandshake,
  SubscribeChannel,
  UseHandshakeGuards,
  type ChannelsModuleOptions,
} from 'nestjs-channels';
import {
  createChannelsTestApp,
  type ChannelsTestApp,
  type ChannelsTestAppOptions,
} from 'nestjs-channels/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { RecordingLogger } from '../support/recording-logger.js';
import { startApp } from '../support/start-app.js';

@WebSocketGateway({ path: '/ws' })
@UseHandshakeGuards()
class ChatGateway {
  constructor(readonly channels: ChannelsService) {}

  @SubscribeChannel('chat')
  join(): string {
    return 'in';
  }

  @SubscribeMessage('echo')
  echo(): string {
    return 'one';
  }
}

/** Starts an application and keeps the warnings. */
async function startLogged(options: ChannelsTestAppOptions): Promise<[ChannelsTestApp, readonly string[]]> {
  const logger = new RecordingLogger();
  const app = await createChannelsTestApp({
    ...options,
    configure: (nest) => {
      nest.useLogger(logger);
      return options.configure?.(nest);
    },
  });
  onTestFinished(() => app.close());
  return [app, logger.warnings];
}

describe('who may connect', () => {
  const open = 'anybody may connect to /ws';
  const free = { canActivate: () => true };

  @WebSocketGateway({ path: '/ws' })
  class OpenGateway {
    @SubscribeChannel('chat')
    join(): void {}
  }

  @WebSocketGateway({ path: '/ws' })
  @UseHandshakeGuards()
  class PublicGateway {
    @SubscribeChannel('news')
    join(): void {}
  }

  @WebSocketGateway({ path: '/ws' })
  @UseHandshakeGuards(free)
  class GuardedGateway {}

  @WebSocketGateway({ path: '/ws' })
  class AskingGateway {
    @OnHandshake()
    ask(): void {}
  }

  @WebSocketGateway({ path: '/ws' })
  class StockGateway {
    @SubscribeMessage('other')
    other(): void {}
  }

  it.each<[string, ChannelsTestAppOptions]>([
    ['no guard', { providers: [OpenGateway] }],
    [
      'global guards that do not run',
      {
        providers: [OpenGateway, { provide: APP_GUARD, useValue: free }],
        channels: { globals: { handshake: false } },
      },
    ],
  ])('is asked at the start where a gateway has %s', async (_, options) => {
    const [, warnings] = await startLogged(options);

    expect(warnings).toEqual([
      `OpenGateway: ${open}; name a guard in @UseHandshakeGuards(...), or write @UseHandshakeGuards() to say that everybody may.`,
    ]);
  });

  it.each<[string, ChannelsTestAppOptions]>([
    ['with an empty decorator', { providers: [PublicGateway] }],
    ['with a guard of another gateway on the path', { providers: [OpenGateway, GuardedGateway] }],
    ['in @OnHandshake()', { providers: [AskingGateway] }],
    ['with a global guard', { providers: [OpenGateway, { provide: APP_GUARD, useValue: free }] }],
    ['with a session', { providers: [OpenGateway], channels: { session: () => ({ principal: 'ann' }) } }],
    ['as with the stock adapter', { providers: [StockGateway] }],
  ])('has been said %s', async (_, options) => {
    const [, warnings] = await startLogged(options);

    expect(warnings).toEqual([]);
  });
});

describe('the start', () => {
  it.each<[ChannelsModuleOptions, string]>([
    [{ maxInFlight: 0 }, 'maxInFlight (0) must be a whole number of at least 1.'],
    [{ handlerTimeoutMs: 2 ** 31 }, 'handlerTimeoutMs (2147483648) must be at most 2147483647 milliseconds.'],
    [
      { heartbeatIntervalMs: 10_000, heartbeatTimeoutMs: 5_000 },
      'heartbeatTimeoutMs (5000) must exceed heartbeatIntervalMs (10000); raise the timeout.',
    ],
  ])('refuses options that have no meaning: %j', async (channels, message) => {
    await expect(createChannelsTestApp({ channels })).rejects.toThrow(message);
  });

  // Each import would have connections and subscribers of its own, and publications of one part of the
  // application would never reach the clients of the other.
  it('refuses a second import of the ChannelsModule', async () => {
    @Module({ imports: [ChannelsModule.forRoot()], providers: [ChatGateway] })
    class ChatModule {}

    const starting = createChannelsTestApp({ imports: [ChannelsModule.forRoot(), ChatModule] });

    await expect(starting).rejects.toThrow(
      'ChannelsModule is imported 2 times, but an application has one: ' +
        'call forRoot() or forRootAsync() once, in the root module; it is global.',
    );
  });

  it('takes one ChannelsModule that several modules import', async () => {
    const channels = ChannelsModule.forRoot({ isGlobal: false });
    @Module({ imports: [channels], providers: [ChatGateway] })
    class ChatModule {}

    const app = await startApp({ imports: [channels, ChatModule] });
    const client = await app.connect('/ws');

    expect((await client.subscribe('chat')).data).toEqual({ channel: 'chat', data: 'in' });
    expect(app.nest.get(ChatGateway).channels).toBe(app.channels);
  });

  it('works without any gateway', async () => {
    const app = await startApp({});

    await app.channels.publish('chat', 'message', 'nobody is there');

    expect((await app.channels.connections()).connections).toEqual([]);
  });

  it('takes options that are had asynchronously', async () => {
    @Injectable()
    class Config {
      readonly limit = 1;
    }
    @Module({ providers: [Config], exports: [Config] })
    class ConfigModule {}
    const channels = ChannelsModule.forRootAsync({
      imports: [ConfigModule],
      inject: [Config],
      useFactory: async ({ limit }: Config) => Promise.resolve({ maxChannelsPerConnection: limit }),
    });

    const app = await startApp({ imports: [channels], providers: [ChatGateway] });
    const { data } = await (await app.connect('/ws')).hello();

    expect(data).toMatchObject({ limits: { maxChannelsPerConnection: 1 } });
  });
});

describe('an event that two gateways of one path handle', () => {
  it('is warned of, and both run: the first one answers', async () => {
    const ran: string[] = [];
    @WebSocketGateway({ path: '/ws' })
    class EchoGateway {
      @SubscribeMessage('echo')
      echo(): string {
        ran.push('other');
        return 'other';
      }
    }
    const [app, warnings] = await startLogged({ providers: [ChatGateway, EchoGateway] });
    const client = await app.connect('/ws');

    const ack = await client.request('echo');

    expect(warnings).toEqual([
      'ChatGateway.echo and EchoGateway.echo both handle "echo" on /ws: of a message with an id the first one answers.',
    ]);
    expect([ack.data, ran]).toEqual(['one', ['other']]);
  });

  it('is no matter on two paths, even where they are @Acked()', async () => {
    @WebSocketGateway({ path: '/other' })
    @UseHandshakeGuards()
    class OtherGateway {
      @SubscribeMessage('echo')
      @Acked()
      echo(): string {
        return 'other';
      }
    }
    const [app, warnings] = await startLogged({ providers: [ChatGateway, OtherGateway] });
    const client = await app.connect('/other');

    const ack = await client.request('echo');

    expect([ack.data, warnings]).toEqual(['other', []]);
  });
});

describe('the adapter', () => {
  it('gives way to another one, and says so once', async () => {
    const [app, warnings] = await startLogged({
      providers: [ChatGateway],
      configure: (nest) => {
        nest.useWebSocketAdapter(new WsAdapter(nest));
      },
    });

    expect(warnings).toEqual([
      'The ChannelsAdapter is not in use: another WebSocket adapter has replaced it. ' +
        'To use it: app.useWebSocketAdapter(app.get(ChannelsAdapter))',
    ]);
    const client = await app.connect('/ws', { protocols: [] });
    client.send({ event: 'echo', id: 1 });
    expect(await client.next()).toBe('one');
  });

  it('is not installed with autoInstall: false, which is said, too', async () => {
    const [app, warnings] = await startLogged({
      imports: [ChannelsModule.forRoot({ autoInstall: false })],
    });

    expect(app.port).toBeGreaterThan(0);
    expect(warnings).toEqual([
      'The ChannelsAdapter is not in use: autoInstall is off. ' +
        'To use it: app.useWebSocketAdapter(app.get(ChannelsAdapter))',
    ]);
  });

  it('can be installed by hand', async () => {
    const [app, warnings] = await startLogged({
      imports: [ChannelsModule.forRoot({ autoInstall: false })],
      providers: [ChatGateway],
      configure: (nest) => {
        nest.useWebSocketAdapter(nest.get(ChannelsAdapter));
      },
    });

    const { data } = await (await app.connect('/ws')).subscribe('chat');

    expect([data, warnings]).toEqual([{ channel: 'chat', data: 'in' }, []]);
  });
});

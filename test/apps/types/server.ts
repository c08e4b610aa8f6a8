import { Injectable, Module, type CanActivate } from '@nestjs/common';
import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import {
  Acked,
  ChannelName,
  ChannelParam,
  ChannelsAdapter,
  ChannelsError,
  ChannelsModule,
  ChannelsService,
  ChannelSocket,
  defineChannel,
  MemoryBroker,
  MessageId,
  OnHandshake,
  OriginGuard,
  SubscribeChannel,
  TokenHandshakeGuard,
  UnsubscribeChannel,
  UseHandshakeGuards,
  type Broker,
  type ChannelDefinition,
  type ChannelParams,
  type ChannelsModuleOptions,
  type DedupStore,
  type HandshakeRequest,
  type Observer,
  type Publication,
  type PublicationSink,
  type Session,
} from 'nestjs-channels';

interface User {
  readonly sub: string;
}

@Injectable()
class UserGuard extends TokenHandshakeGuard<User> {
  authenticate(token: string, request: HandshakeRequest): User | undefined {
    return request.headers.host === undefined ? undefined : { sub: token };
  }
}

const chat = defineChannel('chat:{room}');
const definition: ChannelDefinition = chat;
export const parameter: ChannelParams<'chat:{room}'> = 'room';
export const name: string = chat.name({ room: 'lobby' });
// @ts-expect-error the pattern has another parameter
chat.name({ rooms: 'lobby' });

const broker: Broker = new MemoryBroker();
const observer: Observer = {
  closed: (connection, code, reason) => console.log(connection.id, code.toFixed(), reason.length),
  refused: ({ status, advice = 'none' }) => console.log(status.toFixed(), advice),
};
// @ts-expect-error what an observer is called with is no text
export const wrongObserver: Observer = { published: (channel: number) => channel };

export class LoggingBroker extends MemoryBroker {
  override publish(publication: Publication, rule?: PublishRule): Position | undefined {
    return super.publish(publication, rule);
  }
}
export const sink: PublicationSink | undefined = undefined;
export const store: DedupStore | undefined = undefined;

@WebSocketGateway({ path: '/ws' })
@UseHandshakeGuards(UserGuard, OriginGuard)
export class ChatGateway {
  constructor(private readonly channels: ChannelsService) {}

  @OnHandshake()
  check(request: HandshakeRequest): void {
    if (request.url === undefined) throw new ChannelsError('bad_request', 'no url', { retryAfterMs: 1 });
  }

  @SubscribeChannel(definition)
  join(@ChannelParam('room') room: string, @ChannelName() channel: string): string {
    return room + channel;
  }

  @UnsubscribeChannel('chat:{room}')
  leave(): void {}

  @SubscribeMessage('chat.send')
  @Acked()
  async send(
    @MessageBody() text: string,
    @MessageId() id: string | undefined,
    @ConnectedSocket() client: ChannelSocket,
  ): Promise<object> {
    await this.channels.publish(chat.name({ room: 'lobby' }), 'said', { text }, { except: client });
    const { disconnected, nodes } = await this.channels.disconnect({ principal: client.principal });
    return { id, disconnected, missing: nodes.missing.length };
  }
}

const options: ChannelsModuleOptions = {
  allowedOrigins: ['https://app.example.com'],
  heartbeatIntervalMs: 10_000,
  broker,
  observers: [observer],
  session: (): Session => ({ principal: 'ann' }),
};
// @ts-expect-error times are numbers
export const wrongOptions: ChannelsModuleOptions = { heartbeatIntervalMs: '10s' };

@Module({ imports: [ChannelsModule.forRoot({ ...options, autoInstall: true })], providers: [ChatGateway] })
export class AppModule {}

@Module({ imports: [ChannelsModule.forRootAsync({ useFactory: () => options })] })
export class AsyncModule {}

export const guard: CanActivate = new UserGuard();
export const adapter: typeof ChannelsAdapter = ChannelsAdapter;

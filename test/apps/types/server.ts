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
  type HistoryPage,
  type HistoryQuery,
  type HistoryRule,
  type Observer,
  type Position,
  type Publication,
  type BrokerNode,
  type PublicationSink,
  type PublishRule,
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

const observer: Observer = {
  closed: (connection, code, reason) => console.log(connection.id, code.toFixed(), reason.length),
  refused: ({ status, advice = 'none' }) => console.log(status.toFixed(), advice),
};
// @ts-expect-error what an observer is called with is no text
export const wrongObserver: Observer = { published: (channel: number) => channel };

class LoggingBroker implements Broker {
  constructor(private readonly broker: Broker) {}

  start(sink: PublicationSink, node: BrokerNode): Promise<void> | void {
    return this.broker.start(sink, node);
  }
  publish(publication: Publication, rule?: PublishRule): ReturnType<Broker['publish']> {
    console.log(publication.channel, rule?.key);
    return this.broker.publish(publication, rule);
  }
  position(channel: string, rule: HistoryRule): Promise<Position> | Position {
    return this.broker.position(channel, rule);
  }
  history(channel: string, rule: HistoryRule, query: HistoryQuery): Promise<HistoryPage> | HistoryPage {
    return this.broker.history(channel, rule, query);
  }
  subscribe(channel: string): Promise<void> | void {
    return this.broker.subscribe(channel);
  }
  unsubscribe(channel: string): Promise<void> | void {
    return this.broker.unsubscribe(channel);
  }
  close(): Promise<void> | void {
    return this.broker.close();
  }
}
declare const other: Broker;
const broker: Broker = new LoggingBroker(other);
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

import { Injectable, Module } from '@nestjs/common';
import type { Broker } from 'nestjs-channels';
import {
  ChannelsError,
  ChannelsPublisher,
  ChannelsPublisherModule,
  defineChannel,
  type ChannelDefinition,
  type ChannelParams,
  type ChannelsPublisherModuleOptions,
  type PublisherOptions,
} from 'nestjs-channels/publisher';

const chat = defineChannel('chat:{room}', { history: true });
const definition: ChannelDefinition = chat;
export const parameter: ChannelParams<'chat:{room}'> = 'room';

declare const broker: Broker;
const options: ChannelsPublisherModuleOptions = { broker, channels: [chat, definition] };
// @ts-expect-error without a broker there is no way to the nodes
export const wrongOptions: ChannelsPublisherModuleOptions = { channels: [chat] };

@Injectable()
export class Announcements {
  constructor(private readonly channels: ChannelsPublisher) {}

  async announce(text: string): Promise<boolean> {
    const once: PublisherOptions = { key: text };
    try {
      await this.channels.publish(chat.name({ room: 'lobby' }), 'announced', { text }, once);
      // @ts-expect-error it is the id of a connection, and no connection
      await this.channels.publish(chat.name({ room: 'lobby' }), 'announced', { text }, { except: this });
      return true;
    } catch (error) {
      return error instanceof ChannelsError && error.retryable;
    }
  }
}

@Module({ imports: [ChannelsPublisherModule.forRoot(options)], providers: [Announcements] })
export class WorkerModule {}

@Module({ imports: [ChannelsPublisherModule.forRootAsync({ useFactory: () => options })] })
export class AsyncModule {}

import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { Acked, ChannelsService, ChannelSocket, SubscribeChannel } from 'nestjs-channels';
import { Arrivals } from './arrivals.js';

interface ChatMessage {
  readonly room: string;
  readonly text: string;
}

/** Rooms for the load tool, and ways to treat its messages. */
@WebSocketGateway({ path: '/ws' })
export class LoadGateway {
  readonly heard = new Arrivals<ChatMessage>();

  constructor(private readonly channels: ChannelsService) {}

  @SubscribeChannel('chat:{room}')
  join(): void {}

  @SubscribeMessage('chat.send')
  @Acked()
  async send(@MessageBody() { room, text }: ChatMessage): Promise<void> {
    this.heard.add({ room, text });
    await this.channels.publish(`chat:${room}`, 'message', { text });
  }

  /** Takes the message, and publishes every other one alone. */
  @SubscribeMessage('chat.lose')
  async lose(@MessageBody() message: ChatMessage): Promise<void> {
    const [number] = /\d+(?=-$)/.exec(message.text) ?? [];
    if (Number(number) % 2 === 0) await this.send(message);
  }

  @SubscribeMessage('chat.whisper')
  async whisper(
    @MessageBody() { room, text }: ChatMessage,
    @ConnectedSocket() client: ChannelSocket,
  ): Promise<void> {
    await this.channels.publish(`chat:${room}`, 'message', { text }, { except: client });
  }

  @SubscribeMessage('chat.fail')
  fail(): never {
    throw new Error('of the application');
  }
}

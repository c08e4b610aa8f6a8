import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { Acked, ChannelParam, ChannelsService, ChannelSocket, SubscribeChannel } from 'nestjs-channels';

interface Text {
  readonly room: string;
  readonly text: string;
}

@WebSocketGateway({ path: '/ws' })
export class ChatGateway {
  constructor(private readonly channels: ChannelsService) {}

  @SubscribeChannel('chat:{room}')
  join(@ChannelParam('room') room: string) {
    return { welcome: `You are in ${room}.` };
  }

  @SubscribeMessage('chat.send')
  @Acked()
  async send(@MessageBody() { room, text }: Text, @ConnectedSocket() client: ChannelSocket) {
    await this.channels.publish(`chat:${room}`, 'message', { from: client.id.slice(0, 4), text });
    return { delivered: true };
  }
}

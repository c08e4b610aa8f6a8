import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import {
  Acked,
  ChannelParam,
  ChannelsService,
  ChannelSocket,
  SubscribeChannel,
  UseHandshakeGuards,
} from 'nestjs-channels';
import { JwtGuard } from './jwt.guard.js';
import { NewMessage } from './new-message.dto.js';
import { Rooms, type Message } from './rooms.js';

@WebSocketGateway({ path: '/ws' })
@UseHandshakeGuards(JwtGuard)
export class ChatGateway {
  constructor(
    private readonly channels: ChannelsService,
    private readonly rooms: Rooms,
  ) {}

  @SubscribeChannel('chat:{room}')
  join(@ChannelParam('room') room: string): readonly Message[] {
    return this.rooms.recent(room);
  }

  @SubscribeMessage('chat.send')
  @Acked()
  async send(@MessageBody() { room, text }: NewMessage, @ConnectedSocket() client: ChannelSocket) {
    const message = this.rooms.add(room, { from: client.principal, text });
    await this.channels.publish(`chat:${room}`, 'message', message);
    return { id: message.id };
  }
}

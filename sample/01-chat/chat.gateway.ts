import { randomUUID } from 'node:crypto';
import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import {
  Acked,
  ChannelParam,
  ChannelsService,
  ChannelSocket,
  MessageId,
  SubscribeChannel,
  UseHandshakeGuards,
} from 'nestjs-channels';
import { JwtGuard } from './jwt.guard.js';
import { NewMessage } from './new-message.dto.js';
import { channelOf, chat } from './rooms.js';

@WebSocketGateway({ path: '/ws' })
@UseHandshakeGuards(JwtGuard)
export class ChatGateway {
  constructor(private readonly channels: ChannelsService) {}

  @SubscribeChannel(chat)
  async join(@ChannelParam('room') room: string): Promise<unknown[]> {
    const { publications } = await this.channels.history(channelOf(room));
    return publications.map(({ data }) => data);
  }

  @SubscribeMessage('chat.send')
  @Acked()
  async send(
    @MessageBody() { room, text }: NewMessage,
    @MessageId() messageId: string | number = randomUUID(),
    @ConnectedSocket() client: ChannelSocket,
  ): Promise<{ id: string }> {
    const from = client.principal;
    const id = `${from}:${messageId}`;
    const message = { id, from, text, at: new Date().toISOString() };
    // With a key: when a node dies between this and its answer, another one runs this again.
    await this.channels.publish(channelOf(room), 'message', message, { key: id });
    return { id };
  }
}

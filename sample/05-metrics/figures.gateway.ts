import { WebSocketGateway } from '@nestjs/websockets';
import { ChannelsService, SubscribeChannel, UseHandshakeGuards } from 'nestjs-channels';
import { figures } from './figures.channel.js';

/** For everybody who reaches this host. Elsewhere name the guard that knows who runs the server. */
@WebSocketGateway({ path: '/ws' })
@UseHandshakeGuards()
export class FiguresGateway {
  constructor(private readonly channels: ChannelsService) {}

  @SubscribeChannel(figures)
  async join(): Promise<unknown[]> {
    const { publications } = await this.channels.history(figures.name({}));
    return publications.map(({ data }) => data);
  }
}

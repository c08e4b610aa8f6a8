import { Injectable } from '@nestjs/common';
import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import {
  Acked,
  ChannelParam,
  ChannelsService,
  ChannelSocket,
  SubscribeChannel,
  TokenHandshakeGuard,
  UseHandshakeGuards,
} from 'nestjs-channels';

@Injectable()
export class NameGuard extends TokenHandshakeGuard<{ readonly sub: string }> {
  authenticate(token: string): { readonly sub: string } | undefined {
    return token.startsWith('name-') ? { sub: token } : undefined;
  }
}

/** Every part of the package that an application starts with, once. */
@WebSocketGateway({ path: '/ws' })
@UseHandshakeGuards(NameGuard)
export class SmokeGateway {
  // Found by its type: the compiler has emitted metadata, and this Node has run it.
  constructor(private readonly channels: ChannelsService) {}

  @SubscribeChannel('room:{name}')
  join(@ChannelParam('name') name: string): { readonly welcome: string } {
    return { welcome: name };
  }

  @SubscribeMessage('say')
  @Acked()
  async say(@MessageBody() text: string, @ConnectedSocket() client: ChannelSocket): Promise<object> {
    await this.channels.publish('room:lobby', 'said', { text, by: client.principal });
    return { said: text };
  }

  @SubscribeMessage('echo')
  echo(@MessageBody() data: unknown): object {
    return { event: 'echo', data };
  }
}

import { MessageBody, WebSocketGateway } from '@nestjs/websockets';
import { ChannelName, ChannelSocket, SubscribeChannel, UnsubscribeChannel } from 'nestjs-channels';
import { Arrivals } from './arrivals.js';

/** One run of the `@SubscribeChannel` method, which lasts until the test ends it. */
export interface JoinCall {
  readonly channel: string;
  readonly params: unknown;
  resolve(state?: unknown): void;
  reject(error: unknown): void;
}

/** One run of the `@UnsubscribeChannel` method. */
export interface Leave {
  readonly channel: string;
  readonly reason: string;
}

/** The least that a channel holds back in these rooms, so that few publications are too many. */
export const SMALL_BUFFER_BYTES = 256;

/**
 * Channels whose methods do what the test says, when it says so: `room:{name}`, and `small:{name}` with
 * a small join buffer.
 */
@WebSocketGateway({ path: '/ws' })
export class RoomGateway {
  readonly clients = new Arrivals<ChannelSocket>();
  readonly joins = new Arrivals<JoinCall>();
  readonly leaves = new Arrivals<Leave>();

  handleConnection(client: ChannelSocket): void {
    this.clients.add(client);
  }

  @SubscribeChannel('room:{name}')
  join(@ChannelName() channel: string, @MessageBody() params: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => this.joins.add({ channel, params, resolve, reject }));
  }

  @UnsubscribeChannel('room:{name}')
  leave(@ChannelName() channel: string, @MessageBody('reason') reason: string): void {
    this.leaves.add({ channel, reason });
  }

  @SubscribeChannel('small:{name}', { joinBufferBytes: SMALL_BUFFER_BYTES })
  joinSmall(@ChannelName() channel: string, @MessageBody() params: unknown): Promise<unknown> {
    return this.join(channel, params);
  }
}

import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import {
  Acked,
  ChannelsError,
  ChannelsService,
  ChannelSocket,
  defineChannel,
  MessageId,
  SubscribeChannel,
  UseHandshakeGuards,
} from 'nestjs-channels';
import { Bids, OPENING_PRICE, STEP, type Bid } from './bids.js';
import { NameGuard } from './name.guard.js';
import { NewBid } from './new-bid.dto.js';

const SHOWN = 50;

const auction = defineChannel('auction', { history: true });

@WebSocketGateway({ path: '/ws' })
@UseHandshakeGuards(NameGuard)
export class AuctionGateway {
  constructor(
    private readonly channels: ChannelsService,
    private readonly bids: Bids,
  ) {}

  @SubscribeChannel(auction)
  join() {
    return { bids: this.bids.newest(SHOWN), openingPrice: OPENING_PRICE, step: STEP };
  }

  @SubscribeMessage('bid')
  @Acked()
  async bid(
    @MessageBody() { amount }: NewBid,
    @MessageId() messageId: string | number | undefined,
    @ConnectedSocket() client: ChannelSocket,
  ): Promise<Bid> {
    if (messageId === undefined) throw new ChannelsError('bad_request', 'A bid needs an id.');
    const bid = this.bids.place(client.principal, String(messageId), amount);
    // With a key, so that a second run does not tell it a second time.
    await this.channels.publish('auction', 'bid', bid, { key: String(bid.number) });
    return bid;
  }
}

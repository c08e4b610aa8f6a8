import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { ChannelsPublisher } from 'nestjs-channels/publisher';
import { lots } from './lots.channel.js';
import { PLACE_BID, type PlaceBid, type Placed } from './place-bid.js';

/** Knows lots and bids, and nothing of sockets. A table would hold what is in its memory. */
@Controller()
export class LotsController {
  private readonly highest = new Map<string, PlaceBid>();

  constructor(private readonly channels: ChannelsPublisher) {}

  @MessagePattern(PLACE_BID)
  async place(@Payload() command: PlaceBid): Promise<Placed> {
    const { lot, messageId } = command;
    const before = this.highest.get(lot);
    const isNew = command.amount > (before?.amount ?? 0);
    if (isNew) this.highest.set(lot, command);
    const { bidder, amount } = this.highest.get(lot) ?? command;
    const isHighest = isNew || before?.messageId === messageId;
    // A copy of the message publishes again, since the first may have failed there; the key keeps it from being told twice.
    if (isHighest)
      await this.channels.publish(lots.name({ lot }), 'bid', { bidder, amount }, { key: messageId });
    return { isHighest, highest: { bidder, amount } };
  }
}

import { Inject } from '@nestjs/common';
import type { ClientProxy } from '@nestjs/microservices';
import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import {
  Acked,
  ChannelsError,
  ChannelSocket,
  MessageId,
  SubscribeChannel,
  UseHandshakeGuards,
} from 'nestjs-channels';
import { catchError, timeout, TimeoutError, type Observable } from 'rxjs';
import { BUSINESS } from './business.token.js';
import { lots } from './lots.channel.js';
import { NameGuard } from './name.guard.js';
import { NewBid } from './new-bid.dto.js';
import { PLACE_BID, type PlaceBid, type Placed } from './place-bid.js';

/** Knows sockets, and nothing of lots and bids. */
@WebSocketGateway({ path: '/ws' })
@UseHandshakeGuards(NameGuard)
export class LotsGateway {
  constructor(@Inject(BUSINESS) private readonly business: ClientProxy) {}

  @SubscribeChannel(lots)
  join() {}

  @SubscribeMessage('bid')
  @Acked()
  bid(
    @MessageBody() { lot, amount }: NewBid,
    @MessageId() id: string | number | undefined,
    @ConnectedSocket() client: ChannelSocket,
  ): Observable<Placed> {
    const bidder = client.principal;
    const command: PlaceBid = { lot, amount, bidder, messageId: `${bidder} ${id}` };
    return this.business.send<Placed>(PLACE_BID, command).pipe(
      timeout(5_000),
      // Retryable: the client sends it again, and the business knows the message by its id.
      catchError((cause: unknown) => {
        if (!isAway(cause)) throw cause;
        throw new ChannelsError('unavailable', 'Bids are not taken just now.', { cause });
      }),
    );
  }
}

/** What the business itself refuses comes as a plain object, and is final: it would be refused again. */
function isAway(cause: unknown): boolean {
  if (cause instanceof TimeoutError) return true;
  return cause instanceof Error && ('code' in cause || cause.message === 'Connection closed');
}

/** What the sockets send to the business. */
export const PLACE_BID = 'bid.place';

export interface PlaceBid {
  readonly lot: string;
  readonly bidder: string;
  readonly amount: number;
  /** The same for every copy of one message. */
  readonly messageId: string;
}

export interface Bid {
  readonly bidder: string;
  readonly amount: number;
}

export interface Placed {
  readonly isHighest: boolean;
  readonly highest: Bid;
}

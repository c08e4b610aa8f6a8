import { Injectable } from '@nestjs/common';
import { ChannelsError } from 'nestjs-channels';
import { Database } from './database.js';

export const OPENING_PRICE = 100;
export const STEP = 10;

export interface Bid {
  readonly number: number;
  readonly bidder: string;
  readonly amount: number;
  readonly at: string;
}

const TABLE = `
  CREATE TABLE IF NOT EXISTS bids (
    number INTEGER PRIMARY KEY,
    bidder TEXT NOT NULL,
    message_id TEXT NOT NULL,
    amount INTEGER NOT NULL,
    at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ')),
    UNIQUE (bidder, message_id)
  )`;

/** The bids, in a table that remembers which message made each of them. */
@Injectable()
export class Bids {
  constructor(private readonly database: Database) {
    database.run(TABLE);
  }

  /** Makes a bid, or gives the one that this message has made before. */
  place(bidder: string, messageId: string, amount: number): Bid {
    return this.database.transaction(() => {
      const [first] = this.#read('WHERE bidder = ? AND message_id = ?', [bidder, messageId]);
      if (first) return first;

      const least = this.least();
      if (amount < least) throw new ChannelsError('conflict', `Bid at least €${least}.`);
      this.database.run('INSERT INTO bids (bidder, message_id, amount) VALUES (?, ?, ?)', [
        bidder,
        messageId,
        amount,
      ]);
      return this.#read('ORDER BY number DESC LIMIT 1')[0] as Bid;
    });
  }

  /** From the newest to the oldest. */
  newest(count: number): Bid[] {
    return this.#read('ORDER BY number DESC LIMIT ?', [count]);
  }

  least(): number {
    const [highest] = this.newest(1);
    return highest ? highest.amount + STEP : OPENING_PRICE;
  }

  #read(rest: string, values: (string | number)[] = []): Bid[] {
    return this.database.all<Bid>(`SELECT number, bidder, amount, at FROM bids ${rest}`, values);
  }
}

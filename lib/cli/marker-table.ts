/** How many messages are remembered by default; beyond them the oldest is settled. */
const MAX_MARKERS = 65_536;

interface Marker {
  readonly sentAt: number;
  /** The number of the connection that has sent it. */
  readonly sender: number;
  /** Connections beside the sender that were in the channel. */
  readonly others: number;
  arrived: number;
  isAnswered: boolean;
}

/** Where messages have arrived. Only those that the server has answered without an error are expected. */
export interface DeliveryTotals {
  /** Arrivals that were due at connections other than the sender's. */
  readonly expected: number;
  /** Those of them that have not come. */
  readonly missing: number;
  /** Arrivals at the sender itself, which a gateway may leave out (`except`). */
  readonly toSenders: number;
}

/**
 * The messages that are under way, by a text that each of them carries. The time of sending stays here, so that no
 * clock is shared with the server; nothing of a message is remembered for longer than {@link MAX_MARKERS} others.
 */
export class MarkerTable {
  readonly #prefix: string;
  readonly #capacity: number;
  readonly #markers = new Map<number, Marker>();
  #last = 0;
  #expected = 0;
  #missing = 0;
  #toSenders = 0;

  /** @param run - tells this run from others in the same channels; letters and digits */
  constructor(run: string, capacity = MAX_MARKERS) {
    this.#prefix = `load-${run}-`;
    this.#capacity = capacity;
  }

  /** @returns the text that the message has to carry */
  add(sender: number, others: number, now: number): string {
    const number = ++this.#last;
    this.#markers.set(number, { sentAt: now, sender, others, arrived: 0, isAnswered: false });
    if (this.#markers.size > this.#capacity) this.#settleOldest();
    // The end tells 1 from 11.
    return `${this.#prefix}${number}-`;
  }

  /** The server has taken it: whoever is in the channel gets it. */
  answered(text: string): void {
    const marker = this.#find(text);
    if (marker) marker.isAnswered = true;
  }

  /**
   * Takes what has arrived at a connection.
   *
   * @returns how long it was under way, in milliseconds; `undefined` where it is none of the messages under way
   */
  arrive(data: unknown, connection: number, now: number): number | undefined {
    const marker = this.#find(JSON.stringify(data) ?? '');
    if (!marker) return undefined;
    if (marker.sender === connection) this.#toSenders++;
    else marker.arrived++;
    return now - marker.sentAt;
  }

  /** Whether nothing is due any more. */
  get isComplete(): boolean {
    for (const marker of this.#markers.values()) if (missingOf(marker) > 0) return false;
    return true;
  }

  totals(): DeliveryTotals {
    const totals = { expected: this.#expected, missing: this.#missing, toSenders: this.#toSenders };
    for (const marker of this.#markers.values()) {
      totals.expected += expectedOf(marker);
      totals.missing += missingOf(marker);
    }
    return totals;
  }

  #find(text: string): Marker | undefined {
    const at = text.indexOf(this.#prefix);
    if (at === -1) return undefined;
    const start = at + this.#prefix.length;
    return this.#markers.get(Number(text.slice(start, text.indexOf('-', start))));
  }

  #settleOldest(): void {
    for (const [number, marker] of this.#markers) {
      this.#markers.delete(number);
      this.#expected += expectedOf(marker);
      this.#missing += missingOf(marker);
      return;
    }
  }
}

function expectedOf({ isAnswered, others }: Marker): number {
  return isAnswered ? others : 0;
}

/** Never below zero: who joins between the sending and the publication gets it as well. */
function missingOf(marker: Marker): number {
  return Math.max(expectedOf(marker) - marker.arrived, 0);
}

/** The bids that the server has told, each once, however often it is told. */
export class BidList {
  #bids = new Map();
  #openingPrice = 0;
  #step = 0;

  /** Whether the server has told them at least once. */
  isLoaded = false;

  load({ bids, openingPrice, step }) {
    this.isLoaded = true;
    this.#openingPrice = openingPrice;
    this.#step = step;
    this.#bids.clear();
    for (const bid of bids) this.add(bid);
  }

  add(bid) {
    this.#bids.set(bid.number, bid);
  }

  /** How many of these it does not have. */
  countNew(bids) {
    return bids.filter(({ number }) => !this.#bids.has(number)).length;
  }

  get newestFirst() {
    return [...this.#bids.values()].toSorted((one, other) => other.number - one.number);
  }

  get highest() {
    return this.newestFirst[0];
  }

  get openingPrice() {
    return this.#openingPrice;
  }

  /** What the next bid has to be, behind these that are still on their way. */
  least(drafts) {
    const amounts = drafts.map(({ amount }) => amount);
    if (this.highest) amounts.push(this.highest.amount);
    return amounts.length > 0 ? Math.max(...amounts) + this.#step : this.#openingPrice;
  }
}

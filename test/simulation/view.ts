import type { ChannelGap, SubscribedEvent } from '../../lib/client/channel-events.js';
import type { Facts } from './facts.js';
import type { Entry } from './ledger.js';
import { hasHistory } from './rules.js';

/** One channel as the application of a client sees it. */
export class View {
  /** The application is told that it is in. */
  isIn = false;
  /** The publication that was handed out last, since the last mark. */
  #last: Entry | undefined;
  /** The newest publication of each epoch that was handed out before the mark. */
  #before: Entry | undefined;
  /** The state of the last `$subscribed` without recovery has all up to here. */
  #upTo: number | undefined;
  /** How much was published when the last mark came. */
  #markedAt = 0;
  /** It has something that can be continued. */
  #knows = false;
  /** When it was last told anything. */
  #seenAt = -1;
  /** The application has asked for the state of now. */
  reloads = false;

  constructor(
    private readonly name: string,
    private readonly facts: Facts,
  ) {}

  subscribed({ recovered, data, by }: SubscribedEvent): void {
    this.isIn = true;
    this.reloads = false;
    this.#seenAt = this.facts.time.now;
    if (recovered) {
      this.facts.check('I1', this.#knows, `${this.name}: nothing was there to be recovered`);
      return;
    }
    this.#mark(by === 'client' ? (data as { readonly upTo: number }).upTo : undefined);
    this.#before = undefined;
  }

  /** @param changedAt - when the client last became somebody else */
  gap({ reason }: ChannelGap, changedAt: number): void {
    if (reason === 'rejoined' && !this.reloads && changedAt < this.#seenAt) this.#checkMissed();
    this.#mark(undefined);
  }

  /** The application knows nothing of it any more. */
  left(): void {
    this.isIn = this.#knows = false;
    this.#last = this.#before = undefined;
    this.reloads = false;
  }

  /** I1: what was missed is recovered, as long as the history has it. */
  #checkMissed(): void {
    const last = this.#last;
    if (!last || !hasHistory(this.name)) return;
    const isKept = this.facts.ledger.isKept(this.name, last);
    this.facts.check(
      'I1',
      !isKept,
      `${this.name}: what came behind ${last.index} was there, and not recovered`,
    );
  }

  /** I1, I2: between two marks every publication comes, once, in order, but for those that it says were dropped. */
  published(number: number, dropped = 0): void {
    const { facts, name } = this;
    const entry = facts.ledger.entry(number);
    facts.check('I10', this.isIn, `${name}: ${number} is handed to one who is not in`);
    if (!entry) return;
    const { index, epoch } = entry;
    this.#seenAt = facts.time.now;
    const last = this.#last;
    if (last) {
      facts.check('I2', index > last.index, `${name}: ${index} comes behind ${last.index}`);
      const next = last.index + 1 + dropped;
      facts.check('I1', index === next, `${name}: ${index} comes right behind ${last.index}, not ${next}`);
      facts.check('I1', epoch === last.epoch, `${name}: nobody was told of the epoch of ${index}`);
    } else if (this.#upTo !== undefined) {
      const hasHole = index - dropped > this.#upTo + 1;
      facts.check('I1', !hasHole, `${name}: a hole between the state up to ${this.#upTo} and ${index}`);
    }
    const before = this.#before;
    if (before) facts.check('I2', index > before.index, `${name}: ${index} comes again behind a gap`);
    this.#last = entry;
  }

  /** Whether it has all that was published, or was told that it has not. */
  get isCurrent(): boolean {
    const tail = this.facts.ledger.tail(this.name);
    // Without positions a publication that the state includes may come behind it.
    if (this.#last) return Math.max(this.#last.index, this.#upTo ?? 0) === tail;
    return (this.#upTo ?? this.#markedAt) >= tail || this.#markedAt >= tail;
  }

  get description(): string {
    const tail = this.facts.ledger.tail(this.name);
    const at = this.#last ? `at ${this.#last.index}` : `marked at ${this.#markedAt}`;
    return `${this.name} is ${at} of ${tail}`;
  }

  #mark(upTo: number | undefined): void {
    this.#before = this.#last ?? this.#before;
    this.#last = undefined;
    this.#upTo = upTo;
    this.#markedAt = this.facts.ledger.tail(this.name);
    this.#knows = true;
  }
}

import { isObject } from '../../lib/testing/frame-match.js';

/** The bytes of publications that a channel holds back by default. */
const BUFFER_BYTES = 65_536;

/** A command of the client, as the test has sent it. */
export interface Sent {
  readonly event: '$subscribe' | '$unsubscribe';
  readonly channel: string;
  /** The first publication after its method began to run. */
  startsAt?: number;
  /** Of an `$unsubscribe`: the first publication of a `$subscribe` whose method ran when it was sent. */
  readonly overtakes?: number;
}

/** Everything that the tape is judged by. */
export interface Facts {
  readonly sent: ReadonlyMap<string, Sent>;
  /** Sizes of the publications of a channel, in order. */
  readonly published: ReadonlyMap<string, readonly number[]>;
  readonly maxChannels: number;
}

/** One channel, as the client sees it. */
interface View {
  in: boolean;
  /** The number of the next publication, where it is known. */
  next?: number;
  /** The last one that has come since the client is in. */
  last: number;
  /** A part of the stream is missing: nothing may follow it. */
  broken: boolean;
  /** Where a gap began that was told. */
  gapFrom?: number;
}

/** Refusals that do not touch the channel. */
const HARMLESS: ReadonlySet<unknown> = new Set(['limit_exceeded', 'rate_limited', 'unknown_channel']);

/**
 * Reads the frames that one client was sent, in order, and throws at the first that section 5 of the
 * protocol does not allow there.
 */
export class Tape {
  readonly answered = new Map<string, unknown>();
  readonly #views = new Map<string, View>();

  constructor(private readonly facts: Facts) {}

  /** The channels that the client takes itself to be in. */
  get channels(): string[] {
    return [...this.#views].filter(([, view]) => view.in).map(([channel]) => channel);
  }

  read(frame: unknown): void {
    if (!isObject(frame)) throw new Error('no frame');
    if ('ack' in frame) this.#answer(String(frame['ack']), frame['error']);
    else if ('channel' in frame) this.#publication(String(frame['channel']), frame['data']);
    else this.#event(String(frame['event']), frame['data']);
    check(this.channels.length <= this.facts.maxChannels, 'in too many channels');
  }

  /** Nothing is under way any more: whoever is in a channel must have got all of it. */
  end(): void {
    for (const [channel, view] of this.#views) {
      if (!view.in) continue;
      check(!view.broken, `${channel} has a hole`);
      check(
        view.next === undefined || view.next === this.#published(channel).length,
        `${channel} lost the end`,
      );
    }
  }

  #answer(id: string, error: unknown): void {
    const sent = this.facts.sent.get(id);
    if (!sent) throw new Error(`an answer to ${id}, which nobody has asked`);
    check(!this.answered.has(id), `${id} has two answers`);
    this.answered.set(id, error);
    const code = isObject(error) ? error['code'] : undefined;
    if (HARMLESS.has(code)) return;
    if (sent.event === '$subscribe') this.#subscribed(sent, error === undefined);
    else this.#unsubscribed(sent, error === undefined);
  }

  #subscribed({ channel, startsAt }: Sent, accepted: boolean): void {
    const view = this.#view(channel);
    if (!accepted) {
      view.in = false;
      return;
    }
    if (startsAt === undefined) throw new Error(`${channel} was acked before its method has run`);
    // Of what was published before the method ran all must have come; a hole is for one who is on the way out.
    if (view.in && view.next !== undefined && view.next !== startsAt) view.broken = true;
    if (!view.in) this.#enter(view);
    view.next = startsAt;
  }

  #unsubscribed({ channel, overtakes }: Sent, accepted: boolean): void {
    const view = this.#view(channel);
    check(view.in === accepted, `${channel}: $unsubscribe was answered ${accepted} in vain`);
    check(overtakes === undefined || view.last < overtakes, `${channel}: $unsubscribe has not won`);
    view.in = false;
  }

  #event(event: string, data: unknown): void {
    const channel = String(isObject(data) ? data['channel'] : undefined);
    const view = this.#view(channel);
    switch (event) {
      case '$subscribed':
        check(!view.in, `${channel}: $subscribed twice`);
        this.#enter(view);
        break;
      case '$unsubscribed':
        check(view.in, `${channel}: $unsubscribed of one who is not in`);
        view.in = false;
        break;
      case '$gap':
        check(view.in && view.next !== undefined, `${channel}: $gap not behind an ack`);
        view.gapFrom = view.next;
        view.next = undefined;
        break;
      default:
        throw new Error(`unexpected ${event}`);
    }
  }

  #publication(channel: string, data: unknown): void {
    const view = this.#view(channel);
    const at = Number(isObject(data) ? data['at'] : undefined);
    check(view.in, `${channel}: publication ${at} of one who is not in`);
    check(!view.broken, `${channel}: publication ${at} behind a hole`);
    check(
      view.next === undefined || view.next === at,
      `${channel}: publication ${at} instead of ${view.next}`,
    );
    check(at > view.last, `${channel}: publication ${at} behind ${view.last}`);
    if (view.gapFrom !== undefined) {
      const lost = this.#published(channel).slice(view.gapFrom, at);
      const bytes = lost.reduce((sum, size) => sum + size, 0);
      check(bytes > BUFFER_BYTES, `${channel}: $gap though ${bytes} bytes could have been held back`);
    }
    Object.assign(view, { next: at + 1, last: at, gapFrom: undefined });
  }

  #enter(view: View): void {
    Object.assign(view, { in: true, next: undefined, last: -1, broken: false, gapFrom: undefined });
  }

  #view(channel: string): View {
    let view = this.#views.get(channel);
    if (!view) this.#views.set(channel, (view = { in: false, last: -1, broken: false }));
    return view;
  }

  #published(channel: string): readonly number[] {
    return this.facts.published.get(channel) ?? [];
  }
}

export function check(holds: boolean, violation: string): void {
  if (!holds) throw new Error(violation);
}

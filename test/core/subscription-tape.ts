import { isObject } from '../../lib/testing/frame-match.js';

/** The bytes of publications that a channel holds back by default. */
const BUFFER_BYTES = 65_536;

/** A command of the client, as the test has sent it. */
export interface Sent {
  readonly event: '$subscribe' | '$unsubscribe';
  readonly channel: string;
  /** The first publication after it was sent. */
  readonly sentAt: number;
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
}

/** One channel, as the client sees it. */
interface View {
  in: boolean;
  /** The first publication may be from here ... */
  from: number;
  /** ... to here: then none was lost. */
  to: number;
  /** The last one that has come since the client is in. */
  last: number;
  /** The client was told that some were lost. */
  gap: boolean;
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
  }

  /** Nothing is under way any more: whoever is in a channel must have got all of it. */
  end(): void {
    for (const [channel, view] of this.#views) {
      if (!view.in) continue;
      check(view.last === this.#published(channel).length - 1, `${channel} lost the end`);
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

  #subscribed({ channel, sentAt, startsAt }: Sent, accepted: boolean): void {
    const view = this.#view(channel);
    // Without a method that ran there is no ack, and nothing was refused by one.
    if (startsAt === undefined) throw new Error(`${channel} was answered before its method has run`);
    check(!view.in || view.last < startsAt, `${channel}: nothing was held back`);
    if (accepted && !view.in) this.#enter(view, sentAt, startsAt);
    view.in = accepted;
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
        this.#enter(view, 0, Number.POSITIVE_INFINITY);
        break;
      case '$unsubscribed':
        check(view.in, `${channel}: $unsubscribed of one who is not in`);
        view.in = false;
        break;
      case '$gap':
        check(view.in, `${channel}: $gap of one who is not in`);
        Object.assign(view, { to: Number.POSITIVE_INFINITY, gap: true });
        break;
      default:
        throw new Error(`unexpected ${event}`);
    }
  }

  #publication(channel: string, data: unknown): void {
    const view = this.#view(channel);
    const at = Number(isObject(data) ? data['at'] : undefined);
    check(view.in, `${channel}: publication ${at} of one who is not in`);
    check(at >= view.from, `${channel}: publication ${at} comes after ${view.from}`);
    check(at <= view.to, `${channel}: publication ${at} comes before ${view.to}`);
    if (view.gap) this.#gap(channel, view.from, at);
    Object.assign(view, { from: at + 1, to: at + 1, last: at, gap: false });
  }

  /** So much must have been published that it could not be held back. */
  #gap(channel: string, from: number, to: number): void {
    const bytes = this.#published(channel)
      .slice(from, to)
      .reduce((sum, size) => sum + size, 0);
    check(bytes > BUFFER_BYTES, `${channel}: ${bytes} bytes were lost that could have been held back`);
  }

  #enter(view: View, from: number, to: number): void {
    Object.assign(view, { in: true, from, to, last: -1, gap: false });
  }

  #view(channel: string): View {
    let view = this.#views.get(channel);
    if (!view) this.#views.set(channel, (view = { in: false, from: 0, to: 0, last: -1, gap: false }));
    return view;
  }

  #published(channel: string): readonly number[] {
    return this.facts.published.get(channel) ?? [];
  }
}

export function check(holds: boolean, violation: string): void {
  if (!holds) throw new Error(violation);
}

import type { Line } from './network.js';
import { OPTIONS } from './rules.js';
import { keyOf } from './runs.js';
import type { World } from './world.js';

interface Frame {
  readonly event?: string;
  readonly id?: string;
  readonly ack?: string;
  readonly data?: any;
  readonly error?: { readonly code: string; readonly retryable: boolean };
}

const PUBLICATION = '{"channel":"';

const OFFSET = /"offset":(\d+)/;
const DROPPED = /"dropped":(\d+)/;

interface Asked {
  readonly event: string;
  readonly channel: string;
}

/** A handler that was called, in the lane of its connection. */
export interface Span {
  readonly id: string | undefined;
  readonly at: number;
  endedAt: number;
}

/** What goes over one connection, and whether it may. */
export class Wire {
  clientId: string;
  /** Acked messages that have arrived and whose handler was not called. */
  readonly #arrived: (string | undefined)[] = [];
  readonly #events = new Map<string, string>();
  /** What came under each id and has no answer: event and number of the call. */
  readonly #open: string[] = [];
  /** The offset that each channel has been served up to; absent where the next one may be any. */
  readonly #offsets = new Map<string, number>();
  /** As whom the client says hello. */
  saysToBe = '';
  /** The last call that was written here and had never been turned away. */
  lastCall = 0;
  readonly #commands = new Map<string, Asked>();
  /** Commands whose guard has said yes on this connection. */
  readonly #admitted = new Set<string>();
  readonly #in = new Set<string>();
  /** Channels of which the client has a position of this connection. */
  readonly #positioned = new Set<string>();
  #helloId: string | undefined;
  #span: Span | undefined;

  constructor(private readonly line: Line) {
    this.clientId = '';
  }

  /** A frame of the client, as the server is about to read it. */
  read(text: string): void {
    if (text.startsWith('{"event":"$p')) return;
    const { event = '', id, data } = JSON.parse(text) as Frame;
    if (event === '$hello') {
      this.#helloId = id;
      this.clientId = String(data.clientId);
    } else if (event === '$subscribe' || event === '$unsubscribe') {
      this.#commands.set(String(id), { event, channel: data.channel });
      if (data.since) this.#checkSince(data.channel);
    } else if (!event.startsWith('$') && event !== '') {
      if (event === 'work') this.#arrived.push(id);
      if (id === undefined) return;
      this.#events.set(id, event);
      this.#open.push(`${id} ${event} ${data.n}`);
    }
  }

  /** The guard of a channel has let a command pass. */
  admitted(id: string): void {
    this.#admitted.add(id);
  }

  key(id: unknown): string {
    return keyOf(this.line.principal, this.clientId, id);
  }

  /** I3: handlers of one lane are called in the order of arrival, one after the other. */
  handles(id: string | undefined): Span {
    const { facts } = this.#world;
    const place = this.#arrived.indexOf(id);
    facts.check('I3', place >= 0, `${id} is handled before those that came before it`);
    this.#arrived.splice(0, place + 1);
    const before = this.#span;
    // "A message leaves the lane when it is answered": one that has timed out is.
    const isOver = !before || before.endedAt < Infinity || this.#now - before.at >= OPTIONS.handlerTimeoutMs;
    facts.check('I3', isOver, `${id} is handled beside ${before?.id}`);
    this.#span = { id, at: this.#now, endedAt: Infinity };
    return this.#span;
  }

  /** A frame of the server leaves. */
  written(text: string): void {
    if (text === '{"event":"$ping"}' || text === '{"event":"$pong"}') return;
    if (text.startsWith(PUBLICATION)) {
      const end = text.indexOf('"', PUBLICATION.length);
      this.#published(text.slice(PUBLICATION.length, end), text);
      return;
    }
    const frame = JSON.parse(text) as Frame;
    if (frame.ack !== undefined) this.#acked(frame, frame.ack);
    else if (frame.event === '$unsubscribed') this.#in.delete(frame.data.channel);
    else if (frame.event === '$subscribed' || frame.event === '$gap') {
      this.#in.add(frame.data.channel);
      this.#stands(frame.data);
    }
  }

  /** A frame reaches the client. */
  delivered(text: string): void {
    if (text.startsWith('{"ack"')) {
      const { ack, data, error } = JSON.parse(text) as Frame;
      if (ack === undefined) return;
      if (error?.retryable) this.#world.turnedAway(this.line, ack, error.code);
      if (error) return;
      if (ack === this.#helloId) this.#world.welcomed(this.line);
      else if (this.#commands.get(ack)?.event === '$subscribe') this.#positioned.add(data.channel);
    } else if (text.startsWith('{"event":"$subscribed"') || text.startsWith('{"event":"$gap"')) {
      this.#positioned.add((JSON.parse(text) as Frame).data.channel);
    }
  }

  #acked(frame: Frame, id: string): void {
    const { data, error } = frame;
    const command = this.#commands.get(id);
    const event = this.#events.get(id);
    if (command?.event === '$subscribe') this.#subscribed(id, command, frame);
    else if (command && !error) this.#in.delete(command.channel);
    else if (event !== undefined && error) this.#world.facts.runs.refused(this.key(id), event, error.code);
    else if (event !== undefined) this.#answered(id, event, data);
  }

  /** I4: an answer is that of a message which has come, and of no other under its id. */
  #answered(id: string, event: string, data: { readonly n?: number; readonly run?: number }): void {
    const { facts } = this.#world;
    facts.runs.acked(this.key(id), event, data);
    const run = facts.runs.all[data?.run ?? -1];
    const place = this.#open.indexOf(`${id} ${run?.event} ${data?.n}`);
    facts.check('I4', place >= 0, `${id} is answered for another message`);
    this.#open.splice(place, 1);
  }

  #stands({ channel, offset }: { readonly channel: string; readonly offset?: number }): void {
    if (offset === undefined) this.#offsets.delete(channel);
    else this.#offsets.set(channel, offset);
  }

  #subscribed(id: string, { channel }: Asked, { error, data }: Frame): void {
    if (error !== undefined) {
      // Refused before anything began, it changes nothing.
      const isUntouched = error.code === 'unavailable' && this.line.node.engine.draining;
      if (!isUntouched && error.code !== 'rate_limited') this.#in.delete(channel);
      return;
    }
    this.#in.add(channel);
    this.#stands(data);
    const isAllowed = this.#admitted.has(id);
    this.#world.facts.check('I11', isAllowed, `${channel} is joined without its guard`);
  }

  /** I10, and I1 as the server has to keep it, whatever the client makes up for. */
  #published(channel: string, text: string): void {
    const { facts } = this.#world;
    facts.check('I10', this.#in.has(channel), `${channel} is sent to one who is not in`);
    const last = this.#offsets.get(channel);
    if (last === undefined) return;
    const offset = Number(OFFSET.exec(text)?.[1]);
    facts.check('I2', offset > last, `${channel}: ${offset} is sent behind ${last}`);
    const next = last + 1 + Number(DROPPED.exec(text)?.[1] ?? 0);
    facts.check('I1', offset <= next, `${channel}: ${offset} is sent right behind ${last}`);
    this.#offsets.set(channel, offset);
  }

  /** "When the tag differs ... all positions are dropped": docs/protocol.md section 6.5. */
  #checkSince(channel: string): void {
    const isOwn =
      this.#positioned.has(channel) || this.line.principal === this.#world.formerPrincipal(this.line);
    this.#world.facts.check('I11', isOwn, `${channel} is resumed where somebody else has left it`);
  }

  get #world(): World {
    return this.line.node.world;
  }

  get #now(): number {
    return this.#world.time.now;
  }
}

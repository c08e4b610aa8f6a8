import type { Message } from '../../lib/core/handler.interface.js';
import { Rig, say, type Peer } from './engine-rig.js';
import { check, Tape, type Sent } from './subscription-tape.js';

export const CHANNELS = ['room:1', 'room:2', 'room:3'] as const;
export const MAX_CHANNELS = 2;

const TIMEOUT_MS = 5_000;

/** Publications of this size fill the join buffer by twos. */
const BIG = 'x'.repeat(40_000);

/** What a `@SubscribeChannel` method does: ends when the history says so, at once, or by a throw. */
export type Mode = 'pending' | 'done' | 'throws';

/** How a method that runs comes to its end. `no JSON`: it succeeds with a state that cannot be sent. */
export type Outcome = 'resolve' | 'reject' | 'no JSON';

/** One step of a history. */
export type Step =
  | { readonly type: 'subscribe'; readonly channel: string; readonly mode: Mode }
  | { readonly type: 'unsubscribe' | 'join' | 'leave'; readonly channel: string }
  | { readonly type: 'publish'; readonly channel: string; readonly big: boolean }
  | { readonly type: 'settle'; readonly pick: number; readonly outcome: Outcome }
  | { readonly type: 'turn' | 'expire' | 'close' };

interface Call {
  readonly sent?: Sent;
  readonly begunAt: number;
  readonly end: (outcome: Outcome) => void;
}

/** One client of an engine without sockets, and what the application and the network do to it. */
export class World {
  readonly #sent = new Map<string, Sent>();
  readonly #published = new Map<string, number[]>(CHANNELS.map((channel) => [channel, []]));
  readonly #running: Call[] = [];
  readonly #joins = new Map<string, number>();
  readonly #leaves = new Map<string, number>();
  readonly #asking = new Set<Promise<void>>();
  #rig!: Rig;
  #peer!: Peer;

  /** Plays a history to its end and throws where a rule of section 5 was broken. */
  static async play(steps: readonly Step[], leavesSlowly: boolean): Promise<void> {
    const world = new World();
    await world.#start(leavesSlowly);
    for (const step of steps) {
      await world.#take(step);
      check(world.#channels.length <= MAX_CHANNELS, 'in too many channels');
    }
    await world.#finish();
  }

  async #start(leavesSlowly: boolean): Promise<void> {
    this.#rig = await Rig.start({
      maxChannelsPerConnection: MAX_CHANNELS,
      // The commands of a history come all at once.
      subscriptionsPerSecond: 0,
      maxOutboxBytes: 100_000_000,
      handlerTimeoutMs: TIMEOUT_MS,
      heartbeatIntervalMs: 0,
      heartbeatTimeoutMs: 0,
      channels: {
        'room:{name}': {
          subscribe: { event: '$subscribe', acked: true, handle: (message) => this.#subscribed(message) },
          unsubscribe: {
            event: '$unsubscribe',
            acked: true,
            handle: ({ channel = '' }) => {
              count(this.#leaves, channel);
              return leavesSlowly ? turn() : undefined;
            },
          },
        },
      },
    });
    this.#peer = this.#rig.open();
  }

  #subscribed({ id, channel = '', data }: Message): unknown {
    const sent = this.#sent.get(String(id));
    if (sent) sent.startsAt = this.#publishedOn(channel).length;
    if (data === 'throws') throw new Error('refused');
    if (data === 'done') {
      count(this.#joins, channel);
      return 'state';
    }
    return new Promise((resolve, reject) => {
      this.#running.push({
        sent,
        begunAt: this.#rig.clock.now(),
        end: (outcome) => {
          if (outcome === 'reject') return reject(new Error('refused'));
          count(this.#joins, channel);
          resolve(outcome === 'no JSON' ? 1n : 'state');
        },
      });
    });
  }

  async #take(step: Step): Promise<void> {
    const { connection, transport } = this.#peer;
    switch (step.type) {
      case 'subscribe':
        return this.#say('$subscribe', step.channel, { params: step.mode });
      case 'unsubscribe':
        return this.#say('$unsubscribe', step.channel, {});
      case 'join':
        return this.#ask(connection.subscriptions.join(step.channel));
      case 'leave':
        return this.#ask(connection.subscriptions.leave(step.channel));
      case 'publish':
        return this.#publish(step.channel, step.big ? BIG : '');
      case 'settle':
        return this.#settle(step.pick, step.outcome);
      case 'turn':
        return turn();
      case 'expire':
        return this.#rig.clock.advance(TIMEOUT_MS);
      case 'close':
        return transport.drop();
    }
  }

  #say(event: Sent['event'], channel: string, extra: object): void {
    if (this.#peer.connection.state !== 'open') return;
    const id = String(this.#sent.size);
    const overtakes = event === '$unsubscribe' ? this.#startOf(channel) : undefined;
    const sentAt = this.#publishedOn(channel).length;
    this.#sent.set(id, { event, channel, sentAt, overtakes });
    say(this.#peer, { event, id, data: { ...extra, channel } });
  }

  /** Where the method began that a channel waits for. One that has timed out may still run, but is answered. */
  #startOf(channel: string): number | undefined {
    const since = this.#rig.clock.now() - TIMEOUT_MS;
    const call = this.#running.find(({ sent, begunAt }) => sent?.channel === channel && begunAt > since);
    return call?.sent?.startsAt;
  }

  #ask(asking: Promise<void>): void {
    const settled = asking.catch((error: unknown) => {
      const { code } = error as { readonly code?: unknown };
      check(
        code === 'limit_exceeded' || code === 'unavailable',
        `the server was refused with ${String(error)}`,
      );
    });
    this.#asking.add(settled);
    void settled.finally(() => this.#asking.delete(settled));
  }

  #publish(channel: string, pad: string): void {
    const published = this.#publishedOn(channel);
    const data = { at: published.length, pad };
    const frame = JSON.stringify({ channel, event: 'message', data });
    published.push(frame.length);
    this.#rig.engine.hub.deliver({ channel, event: 'message', data: JSON.stringify(data) });
  }

  #settle(pick: number, outcome: Outcome): void {
    const [call] = this.#running.splice(pick % Math.max(1, this.#running.length), 1);
    call?.end(outcome);
  }

  async #finish(): Promise<void> {
    await this.#idle();
    if (this.#peer.connection.state === 'open') {
      this.#checkOpen();
      this.#checkRoom();
      await this.#idle();
    }
    this.#peer.transport.drop();
    await this.#idle();
    this.#checkClosed();
  }

  /** Lets everything that is under way come to its end. */
  async #idle(): Promise<void> {
    do {
      while (this.#running.length > 0) this.#settle(0, 'resolve');
      // Each command may have to wait for the slow leave of the one before.
      for (let turns = 0; turns < 4 + this.#sent.size; turns++) await turn();
    } while (this.#running.length > 0 || this.#asking.size > 0);
  }

  #checkOpen(): void {
    for (const channel of CHANNELS) this.#publish(channel, '');
    this.#peer.connection.outbox.flush();
    const tape = this.#tape();
    tape.end();
    check(tape.answered.size === this.#sent.size, 'a command has no answer');
    check(same(tape.channels, this.#channels), `the server says ${this.#channels}, not ${tape.channels}`);
  }

  /** As many commands are taken as if nothing had happened before. */
  #checkRoom(): void {
    const [channel = 'room:1'] = this.#channels;
    const from = this.#sent.size;
    this.#say('$subscribe', channel, { params: 'pending' });
    for (let more = 1; more <= 2 * MAX_CHANNELS; more++) this.#say('$unsubscribe', channel, {});
    this.#peer.connection.outbox.flush();
    const { answered } = this.#tape();
    const refused = [...this.#sent.keys()].slice(from).filter((id) => answered.has(id));
    check(refused.length === 1, `${refused.length} commands were refused instead of 1`);
  }

  #checkClosed(): void {
    const tape = this.#tape();
    check(tape.answered.size <= this.#sent.size, 'an answer that nobody has asked for');
    check(this.#rig.engine.hub.size === 0, 'the hub is not empty');
    for (const { event, data } of this.#frames() as { event?: string; data?: { channel: string } }[]) {
      if (event === '$subscribed') count(this.#joins, data?.channel ?? '');
    }
    for (const channel of CHANNELS) {
      const [joins = 0, leaves = 0] = [this.#joins.get(channel), this.#leaves.get(channel)];
      check(joins === leaves, `${channel}: ${joins} joins and ${leaves} leaves`);
    }
  }

  #tape(): Tape {
    const tape = new Tape({ sent: this.#sent, published: this.#published });
    for (const frame of this.#frames()) tape.read(frame);
    return tape;
  }

  #frames(): unknown[] {
    return this.#peer.transport.frames.map((text) => JSON.parse(text) as unknown);
  }

  /** The channels that the server takes the client to be in. */
  get #channels(): string[] {
    return [...this.#peer.connection.subscriptions.channels()];
  }

  #publishedOn(channel: string): number[] {
    return this.#published.get(channel) ?? [];
  }
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function same(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((one) => others.includes(one));
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

import { ChannelsClient, type ChannelsClientError } from '../../lib/client/index.js';
import type { SubscribedEvent } from '../../lib/client/channel-events.js';
import { REPLACED_CLOSE } from '../../lib/protocol/close-verdict.js';
import { Line } from './network.js';
import type { Node } from './node.js';
import { CLIENT_OPTIONS, OPTIONS, WINDOW_MARGIN_MS, type ChannelName } from './rules.js';
import type { Work } from './runs.js';
import { OwnClock } from './time.js';
import { View } from './view.js';
import type { World } from './world.js';

/** One call of `send`. */
export interface Call {
  readonly work: Work;
  readonly event: string;
  readonly at: number;
  readonly timeoutMs: number | undefined;
  /** The client was closed when it came. */
  readonly isClosed: boolean;
  /** The calls that waited when it came. */
  readonly waiting: number;
  text?: string;
  id?: string;
  /** The name of the client under which it was first sent. */
  clientId?: string;
  /** Whom it was queued for; unknown until the first welcome. */
  principal: string | undefined;
  /** It was answered by a retryable error, or held back behind one of its event that was `rate_limited`. */
  isTurnedAway: boolean;
  /** It was answered `rate_limited`. */
  isLimited: boolean;
  firstWrittenAt: number;
  state: 'waits' | 'resolved' | 'rejected';
  settledAt: number;
  value?: unknown;
  code?: string;
  closeCode?: number;
}

/** What a client waits at most where the server names a second. */
const LONGEST_WAIT_MS = 2_000;

const BEARER = 'nestjs-channels.bearer.';

/** Somebody with a real client, and an application that writes down what it is told. */
export class Person {
  readonly clock: OwnClock;
  readonly client: ChannelsClient;
  readonly calls: Call[] = [];
  readonly views = new Map<ChannelName, View>();
  /** Channels that are joined, as long as nobody forbids it. */
  readonly wants = new Set<ChannelName>();
  /** Who it logs in as. */
  principal: string;
  /** The node that its next connection goes to. */
  home: number;
  latencyMs = 1;
  readonly lines: Line[] = [];
  /** Whom the servers took it for, welcome by welcome. */
  readonly welcomes: Line[] = [];
  /** When what waited was last given up: by a `reset()`, or because somebody else was welcomed. */
  #changedAt = -1;
  /** Whom what is sent now is queued for. */
  #takenFor: string | undefined;
  /** When the client was last closed. */
  #closedAt = -1;
  /** Whether it connects again when the server has closed it for good. */
  #comesBack = false;
  /** Channels that the client does not join by itself: the server has refused, ended or begun it. */
  readonly #lost = new Set<ChannelName>();

  constructor(
    readonly world: World,
    readonly index: number,
  ) {
    this.principal = PRINCIPALS[index] as string;
    this.home = index % world.nodes.length;
    this.clock = new OwnClock(world.time);
    const { chance } = world;
    let ids = 0;
    this.client = new ChannelsClient('ws://simulation', {
      ...CLIENT_OPTIONS,
      clock: this.clock,
      random: {
        next: () => chance.next(),
        id: () => `person${index}-${++ids}`.padEnd(22, 'x'),
      },
      WebSocket: this.#webSocket(),
      token: () => this.principal,
    });
    this.client.on('$error', () => undefined);
    this.client.on('$state', ({ name }) => {
      if (name !== 'closed') return;
      this.#closedAt = this.clock.now();
      this.#takenFor = undefined;
      if (this.#comesBack) this.client.connect();
    });
  }

  /** The connection that the client has, or had last. */
  get line(): Line | undefined {
    return this.lines.at(-1);
  }

  /** Calls that have not ended. */
  waiting = 0;

  send(event: string, work: Work, timeoutMs: number | undefined): void {
    const call: Call = {
      work,
      event,
      at: this.clock.now(),
      timeoutMs,
      isClosed: this.client.state.name === 'closed',
      waiting: this.waiting,
      firstWrittenAt: Infinity,
      principal: this.#takenFor,
      isTurnedAway: false,
      isLimited: false,
      state: 'waits',
      settledAt: Infinity,
    };
    this.calls.push(call);
    this.waiting++;
    const settle = (state: Call['state'], rest: Partial<Call>): void => {
      this.world.facts.check('I5', call.state === 'waits', `${event} ${work.n} settles twice`);
      this.waiting--;
      Object.assign(call, { state, settledAt: this.clock.now(), ...rest });
    };
    this.client.send(event, work, { timeoutMs }).then(
      (value) => settle('resolved', { value }),
      ({ code, closeCode }: ChannelsClientError) => settle('rejected', { code, closeCode }),
    );
  }

  /** Whether it has all that it waits for, channels considered. */
  get isCurrent(): boolean {
    return this.client.state.name === 'open' && this.expected.every(({ isCurrent }) => isCurrent);
  }

  /** Channels that it must be in, or is told to be in. */
  get expected(): View[] {
    // What the server has joined, or taken away, is for the server to repeat.
    const names = [...this.wants].filter((name) => !this.#lost.has(name) || this.line?.isIn(name));
    return names.map((name) => this.view(name));
  }

  welcomed(line: Line): void {
    const former = this.welcomes.at(-1);
    if (former && former.principal !== line.principal) this.#changedAt = this.clock.now();
    this.welcomes.push(line);
    this.#takenFor = line.principal;
    for (const call of this.calls) if (call.state === 'waits') call.principal ??= line.principal;
  }

  reset(): void {
    this.#changedAt = this.clock.now();
    this.#takenFor = undefined;
    this.client.reset();
  }

  /** The network is well again, whatever the client thinks of it. */
  heal(): void {
    this.latencyMs = 1;
    if (this.line) this.line.latencyMs = 1;
    if (this.line) this.line.nextFrame = undefined;
    this.#comesBack = true;
    this.client.connect();
  }

  /** The page is closed. */
  goes(): void {
    this.#comesBack = false;
    this.client.close();
  }

  join(name: ChannelName): void {
    if (this.wants.has(name)) return;
    this.wants.add(name);
    this.#listen(name);
  }

  /** Runs the method of the channel again. */
  reload(name: ChannelName): void {
    this.join(name);
    this.view(name).reloads = true;
    this.client
      .channel(name)
      .subscribe()
      .catch(() => undefined);
  }

  leave(name: ChannelName): void {
    this.wants.delete(name);
    this.#lost.delete(name);
    this.view(name).left();
    this.client.channel(name, { subscribe: false }).unsubscribe();
  }

  view(name: ChannelName): View {
    let view = this.views.get(name);
    if (!view) this.views.set(name, (view = new View(name, this.world.facts)));
    return view;
  }

  /** What the client has written, on whatever connection. */
  wrote(line: Line, text: string): void {
    const { id, data } = JSON.parse(text) as { readonly id?: string; readonly data?: Partial<Work> };
    const call = this.calls.find(({ work }) => work.n === data?.n);
    if (!call || id === undefined) return;
    const { facts } = this.world;
    const { n } = call.work;
    call.text ??= text;
    call.id ??= id;
    call.clientId ??= line.wire.saysToBe;
    if (this.#wasHeldBack(call)) call.isTurnedAway = true;
    call.firstWrittenAt = Math.min(call.firstWrittenAt, this.clock.now());
    const isSame = call.id === id && call.clientId === line.wire.saysToBe;
    facts.check('I6', isSame, `${n} is sent again under another name`);
    const isOwn = call.principal === undefined || call.principal === line.principal;
    facts.check('I11', isOwn, `${n} of ${call.principal} is sent as ${line.principal}`);
    if (call.isTurnedAway) return;
    facts.check('I3', n > line.wire.lastCall, `${n} is sent behind ${line.wire.lastCall}`);
    line.wire.lastCall = n;
  }

  #wasHeldBack({ event, at, work: { n } }: Call): boolean {
    return this.calls.some(
      (other) => other.isLimited && other.event === event && other.work.n < n && other.settledAt >= at,
    );
  }

  /** I5: a call that has ended had a reason. */
  justify(call: Call): void {
    const { facts } = this.world;
    const { state, code, work, value } = call;
    const name = `${call.event} ${work.n}`;
    facts.check('I5', state !== 'waits', `${name} is never settled`);
    if (state === 'resolved') {
      const isOwn = (value as { readonly n?: number } | undefined)?.n === work.n;
      facts.check('I5', isOwn, `${name} resolves with ${JSON.stringify(value)}`);
    }
    if (state === 'rejected') facts.check('I5', this.#isReason(call), `${name} rejects with ${code}`);
  }

  #isReason(call: Call): boolean {
    const { at, settledAt, timeoutMs, isClosed, firstWrittenAt, work, waiting } = call;
    const { dedupWindowMs } = OPTIONS;
    // "What was already sent under the old one rejects with `closed`": docs/protocol.md, section 8.
    if (call.closeCode === REPLACED_CLOSE) return firstWrittenAt <= settledAt;
    switch (call.code) {
      case 'timeout':
        return timeoutMs !== undefined && settledAt - at >= timeoutMs;
      case 'expired':
        return settledAt - firstWrittenAt > dedupWindowMs - WINDOW_MARGIN_MS;
      case 'rate_limited':
        // Its time came behind the end of the window.
        return (
          call.isLimited && settledAt - firstWrittenAt > dedupWindowMs - WINDOW_MARGIN_MS - LONGEST_WAIT_MS
        );
      case 'principal_changed':
        return this.#changedAt >= at;
      case 'closed':
        return isClosed || this.#closedAt >= at;
      case 'queue_full':
        return waiting >= CLIENT_OPTIONS.maxQueue;
      case 'bad_request':
        return work.fails === 'final';
      default:
        return false;
    }
  }

  #listen(name: ChannelName): void {
    const isOpen = !name.startsWith('push');
    if (!isOpen) this.#lost.add(name);
    const channel = this.client.channel(name, { subscribe: isOpen });
    const view = this.view(name);
    const ended = (): void => {
      this.#lost.add(name);
      view.left();
    };
    channel.on('$subscribed', (told) => {
      if ((told as SubscribedEvent).by === 'client') this.#lost.delete(name);
      else this.#lost.add(name);
      view.subscribed(told as SubscribedEvent);
    });
    channel.on('$gap', (gap) => view.gap(gap, this.#changedAt));
    channel.on('$unsubscribed', ended);
    channel.on('$error', ended);
    channel.on('p', (data, { dropped }) => view.published((data as { readonly u: number }).u, dropped));
  }

  #webSocket(): new (url: string, protocols?: string[]) => Line['socket'] {
    const connect = (protocols: readonly string[]): Line => this.#connect(protocols);
    // The socket of the line stands for the one that is made.
    return function connectTo(_url: string, protocols: string[] = []): Line['socket'] {
      return connect(protocols).socket;
    } as unknown as new (url: string, protocols?: string[]) => Line['socket'];
  }

  #connect(protocols: readonly string[]): Line {
    const bearer = protocols.find((entry) => entry.startsWith(BEARER)) ?? '';
    const principal = Buffer.from(bearer.slice(BEARER.length), 'base64url').toString();
    const node = this.#balanced();
    const line = new Line(node, principal, this.world.wireClock, this.latencyMs);
    this.lines.push(line);
    this.world.lines.push(line);
    return line;
  }

  /** A balancer does not send anybody to a node that says that it leaves, if there is another one. */
  #balanced(): Node {
    const { nodes } = this.world;
    const home = this.world.nodeAt(this.home);
    return home.engine.draining ? (nodes.find(({ engine }) => !engine.draining) ?? home) : home;
  }
}

/** Who the people are at first; one of them is nobody in particular. */
export const PRINCIPALS = ['ada', 'bob', ''] as const;

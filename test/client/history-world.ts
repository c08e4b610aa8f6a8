import {
  ChannelsClient,
  type ClientClock,
  type ClientRandom,
  type QueueStorage,
  type SettledMessage,
} from '../../lib/client/index.js';
import { watched, type Outcome } from './client-rig.js';
import { FakeServer, seeded, type FakePeer, type Reception } from './fake-server.js';
import type { FakeWebSocket } from './fake-web-socket.js';
import { HistoryClock } from './history-clock.js';
import { HistoryModel, type Sent } from './history-model.js';
import { MemoryQueueStorage, MemorySlots } from './memory-queue-storage.js';

type AnswerKind = 'done' | 'final' | 'retryable' | 'in a while' | 'item';

export type Step =
  | { readonly type: 'send'; readonly timeoutMs?: number; readonly size: number }
  | { readonly type: 'abort'; readonly pick: number }
  | { readonly type: 'answer'; readonly pick: number; readonly kind: AnswerKind }
  | { readonly type: 'pass'; readonly ms: number }
  | { readonly type: 'lose'; readonly how: number | 'vanish' }
  | { readonly type: 'receive'; readonly reception: Reception }
  | { readonly type: 'hello'; readonly how: 'welcome' | 'refuse' | 'ignore' }
  | { readonly type: 'log in'; readonly principal: string }
  | { readonly type: 'connect' | 'close' | 'reset' | 'reload' };

/** What a client stands on; a deliberate bug replaces a part of it. */
export interface Ground {
  clock: ClientClock;
  random: ClientRandom;
  Socket: typeof FakeWebSocket;
  storage: QueueStorage;
}

export const MAX_IN_FLIGHT = 3;
const MAX_QUEUE = 6;
const MAX_BYTES = 300;

/** One history of a client and its server. */
export class HistoryWorld {
  readonly #clock = new HistoryClock();
  readonly #model = new HistoryModel(MAX_IN_FLIGHT);
  readonly #server = new FakeServer(this.#clock, {
    onWrite: (socket, text) => this.#model.written(socket, text),
    onDeliver: (socket, data) => this.#model.delivered(socket, data),
  });
  readonly #slots = new MemorySlots();
  readonly #random = seeded(7);
  readonly #spoil: (ground: Ground) => void;
  #client: ChannelsClient;
  /** Ends the page: nothing that it has begun goes on. */
  #endPage: () => void = () => undefined;
  readonly #outcomes: Outcome[] = [];
  readonly #controllers: AbortController[] = [];
  #hello: 'welcome' | 'refuse' | 'ignore' = 'welcome';

  constructor(spoil: (ground: Ground) => void) {
    const server = this.#server;
    server.limits = { maxInFlight: MAX_IN_FLIGHT, maxMessageBytes: MAX_BYTES };
    server.onHello = (peer) => this.#answerHello(peer);
    this.#spoil = spoil;
    this.#client = this.#load();
  }

  /** A page, with a client that takes over what the page before has left. */
  #load(): ChannelsClient {
    const clock = new PageClock(this.#clock);
    const storage = new MemoryQueueStorage(this.#slots);
    const ground: Ground = {
      clock,
      random: this.#random,
      Socket: this.#server.WebSocket as unknown as typeof FakeWebSocket,
      storage,
    };
    this.#spoil(ground);
    const { Socket, ...rest } = ground;
    const sockets: FakeWebSocket[] = [];
    class PageSocket extends Socket {
      constructor(...args: ConstructorParameters<typeof FakeWebSocket>) {
        super(...args);
        sockets.push(this);
      }
    }
    const client = new ChannelsClient('ws://fake', {
      ...rest,
      WebSocket: PageSocket as never,
      token: async () => 'jwt',
      maxQueue: MAX_QUEUE,
      maxRetries: 6,
    });
    client.on('$error', () => undefined);
    client.on('$settled', (message) => this.#settled(message));
    this.#endPage = () => {
      clock.end();
      storage.end();
      // Also what was still connecting is heard of no more.
      for (const { peer } of sockets) peer.vanish();
    };
    return client;
  }

  /** A page that is gone has no promises any more; the next one hears how they would have ended. */
  #settled({ event, answer, error }: SettledMessage): void {
    const sent = this.#model.all.find((one) => one.event === event);
    if (!sent) return;
    sent.settlings++;
    Object.assign(this.#outcomes[sent.index] ?? {}, {
      state: error ? 'rejected' : 'resolved',
      value: answer,
    });
  }

  /** @returns what was broken */
  static async play(
    steps: readonly Step[],
    spoil: (ground: Ground) => void = () => undefined,
  ): Promise<string[]> {
    const world = new HistoryWorld(spoil);
    for (const step of steps) {
      world.#do(step);
      await world.#clock.advance(step.type === 'pass' ? step.ms : 0);
      if (world.#client.state.name === 'closed') world.#model.closed();
    }
    await world.#finish();
    return world.#verdict();
  }

  #do(step: Step): void {
    switch (step.type) {
      case 'send':
        return this.#send(step);
      case 'abort':
        return pick(this.#controllers, step.pick)?.abort(new Error('aborted'));
      case 'answer':
        return this.#answer(step.pick, step.kind);
      case 'lose':
        return this.#lose(step.how);
      case 'receive':
        this.#server.reception = step.reception;
        return undefined;
      case 'hello':
        this.#hello = step.how;
        return undefined;
      case 'log in':
        this.#server.principal = step.principal;
        return undefined;
      case 'reload':
        // What the next page sends before its first welcome is for whoever that is.
        this.#model.closed();
        this.#endPage();
        this.#controllers.length = 0;
        this.#client = this.#load();
        this.#client.connect();
        return undefined;
      case 'reset':
        this.#model.reset();
        return this.#client.reset();
      case 'connect':
      case 'close':
        return this.#client[step.type]();
      case 'pass':
        return undefined;
    }
  }

  #send({ timeoutMs, size }: Step & { readonly type: 'send' }): void {
    const sent = this.#model.add();
    const controller = new AbortController();
    this.#controllers.push(controller);
    const options = { timeoutMs, signal: controller.signal };
    const call = counted(sent, () => this.#client.send(sent.event, 'x'.repeat(size), options));
    this.#outcomes.push(watched(call));
  }

  #answer(at: number, kind: AnswerKind): void {
    const { peers, messages } = this.#server;
    const frame = pick(messages, at);
    if (!frame || peers.length === 0) return;
    const error = { code: 'unavailable', message: '', retryable: kind !== 'final' };
    if (kind === 'done') this.#server.answer(frame, { data: frame.event });
    else if (kind === 'item') this.#server.peer.send({ ack: frame.id, data: 1, more: true });
    else if (kind === 'in a while') this.#server.answer(frame, { error: { ...error, retryAfterMs: 3_000 } });
    else this.#server.answer(frame, { error });
  }

  #lose(how: number | 'vanish'): void {
    const peer = this.#server.peers.at(-1);
    if (how === 'vanish') peer?.vanish();
    else peer?.close(how);
  }

  #answerHello(peer: FakePeer): { data?: unknown; error?: object } | undefined {
    if (this.#hello === 'ignore') return undefined;
    if (this.#hello === 'refuse') return { error: { code: 'internal', message: '', retryable: true } };
    this.#model.takenFor(peer.socket, this.#server.principal);
    return { data: this.#server.welcome() };
  }

  /** The server is well again and answers everything; the client may come back if it is closed. */
  async #finish(): Promise<void> {
    this.#server.reception = 'accept';
    this.#hello = 'welcome';
    this.#server.onMessage = ({ event }) => ({ data: event });
    const peer = this.#server.peers.at(-1);
    for (const { id, event } of peer?.messages ?? []) peer?.send({ ack: id, data: event });
    await this.#clock.advance(1);
    this.#client.connect();
    await this.#clock.advance(120_000);
  }

  #verdict(): string[] {
    const faults = [...this.#model.faults];
    for (const { index, event, settlings } of this.#model.all) {
      const { state, value } = this.#outcomes[index] ?? {};
      if (state === 'pending' || settlings === 0) faults.push(`${event} was never settled`);
      if (settlings > 1) faults.push(`${event} was settled ${settlings} times`);
      if (state === 'resolved' && value !== event) faults.push(`${event} has the answer of another`);
    }
    this.#client.close();
    return faults;
  }
}

/** The timers of one page, which end with it. */
class PageClock implements ClientClock {
  #isOver = false;

  constructor(private readonly clock: HistoryClock) {}

  now(): number {
    return this.clock.now();
  }

  setTimeout(callback: () => void, ms: number): unknown {
    return this.clock.setTimeout(() => this.#isOver || callback(), ms);
  }

  clearTimer(timer: unknown): void {
    this.clock.clearTimer(timer);
  }

  end(): void {
    this.#isOver = true;
  }
}

function pick<Item>(items: readonly Item[], at: number): Item | undefined {
  return items.length === 0 ? undefined : items[at % items.length];
}

/** Counts how often the promise that a call makes is resolved or rejected: the last that it makes at once. */
function counted(sent: Sent, call: () => Promise<unknown>): Promise<unknown> {
  const real = globalThis.Promise;
  const ends: number[] = [];
  let isOver = false;
  class Counting<Value> extends real<Value> {
    static override get [Symbol.species](): PromiseConstructor {
      return real;
    }

    constructor(
      run: (resolve: (value: Value | PromiseLike<Value>) => void, reject: (cause: unknown) => void) => void,
    ) {
      const at = ends.push(0) - 1;
      const count = (): void => {
        ends[at] = (ends[at] ?? 0) + 1;
        if (isOver && at === ends.length - 1) sent.settlings++;
      };
      super((resolve, reject) => {
        const rejectOnce = (cause: unknown): void => (count(), reject(cause));
        try {
          run((value) => (count(), resolve(value)), rejectOnce);
        } catch (cause) {
          rejectOnce(cause);
        }
      });
    }
  }
  globalThis.Promise = Counting as unknown as PromiseConstructor;
  try {
    const promise = call();
    isOver = true;
    sent.settlings += ends.at(-1) ?? 0;
    // Refused before anything was made: that is its end.
    if (ends.length === 0) promise.catch(() => sent.settlings++);
    return promise;
  } finally {
    globalThis.Promise = real;
  }
}

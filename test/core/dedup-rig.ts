import type { Claim, DedupKey, DedupStore, StoredAnswer } from 'nestjs-channels';
import { TURNED_AWAY, type Gate, type Handler, type Message } from '../../lib/core/handler.interface.js';
import { MemoryDedupStore } from '../../lib/core/memory-dedup-store.js';
import { TestClock } from 'nestjs-channels/testing';
import { Deferred } from '../support/deferred.js';
import { Rig, say, settled, type Peer, type RigOptions } from './engine-rig.js';

export const CLIENT = 'c'.repeat(22);

/** What the methods of a {@link DedupRig} do, and how often they have. */
export class Desk {
  /** Data of the messages whose method ran, in the order in which they began. */
  readonly runs: unknown[] = [];
  method: (message: Message) => unknown = ({ data }) => ({ done: data });
  guard: (message: Message) => Promise<void> | void = () => undefined;

  /** A handler as a gateway's method is compiled: guard, gate, method. */
  handler(event: string, concurrent = false): Handler {
    const run = (message: Message): unknown => {
      this.runs.push(message.data);
      return this.method(message);
    };
    const enter = (message: Message, gate?: Gate): unknown => {
      const enters = gate ? gate.enter() : true;
      if (enters instanceof Promise) return enters.then((may) => (may ? run(message) : TURNED_AWAY));
      return enters ? run(message) : TURNED_AWAY;
    };
    return {
      event,
      acked: true,
      concurrent,
      handle: (message, gate) => {
        const guarded = this.guard(message);
        return guarded ? guarded.then(() => enter(message, gate)) : enter(message, gate);
      },
    };
  }
}

export interface DedupRig {
  readonly rig: Rig;
  readonly desk: Desk;
  /** A connection that has said `$hello`, unless its client id is empty. */
  client(info?: { readonly principal?: string; readonly clientId?: string }): Peer;
}

/** A node with the acked events `work`, `other` and `beside`, which is concurrent, and the plain `plain`. */
export async function startDedup(options: RigOptions = {}): Promise<DedupRig> {
  const desk = new Desk();
  const handlers: Handler[] = [
    desk.handler('work'),
    desk.handler('other'),
    desk.handler('beside', true),
    { event: 'plain', acked: false, handle: (message) => desk.method(message) },
  ];
  const rig = await Rig.start({ heartbeatIntervalMs: 0, heartbeatTimeoutMs: 0, handlers, ...options });
  return {
    rig,
    desk,
    client: ({ principal = 'ada', clientId = CLIENT } = {}) => {
      const peer = rig.open({ principal });
      if (clientId !== '') say(peer, { event: '$hello', id: 'hello', data: { clientId } });
      return peer;
    },
  };
}

/** Answers to messages that a peer has been sent, as they are now. */
export async function answersOf({ transport }: Peer): Promise<unknown[]> {
  await settled();
  const frames = transport.frames.map((text) => JSON.parse(text) as { readonly ack?: unknown });
  return frames.filter(({ ack }) => ack !== undefined && ack !== 'hello');
}

/** The connection is lost, and the server knows it. */
export async function cut({ transport }: Peer): Promise<void> {
  transport.drop();
  await settled();
}

/** A store whose answers take their time, as over a network, and whose calls may fail. */
export class RemoteDedupStore implements DedupStore {
  readonly calls: string[] = [];
  /** Calls of these names fail. */
  readonly failing = new Set<string>();
  /** Holds calls of these names back until it is resolved. */
  readonly holds = new Map<string, Deferred>();
  readonly #store: MemoryDedupStore;

  constructor(clock: TestClock) {
    this.#store = new MemoryDedupStore({ clock, maxBytes: 1_000_000, maxBytesPerPrincipal: 1_000_000 });
  }

  start(rules: Parameters<DedupStore['start']>[0]): Promise<void> {
    return this.#call('start', () => this.#store.start(rules));
  }

  claim(key: DedupKey): Promise<Claim> {
    return this.#call('claim', () => this.#store.claim(key));
  }

  renew(key: DedupKey, fence: number): Promise<boolean> {
    return this.#call('renew', () => this.#store.renew(key, fence));
  }

  resolve(key: DedupKey, fence: number, answer: StoredAnswer): Promise<boolean> {
    return this.#call('resolve', () => this.#store.resolve(key, fence, answer));
  }

  release(key: DedupKey, fence: number): Promise<void> {
    return this.#call('release', () => this.#store.release(key, fence));
  }

  async wait(key: DedupKey, signal: AbortSignal): Promise<void> {
    this.calls.push('wait');
    await this.#store.wait(key, signal);
  }

  close(): Promise<void> {
    return this.#call('close', () => this.#store.close());
  }

  async #call<T>(name: string, work: () => T): Promise<T> {
    this.calls.push(name);
    await settledOnce();
    await this.holds.get(name)?.promise;
    if (this.failing.has(name)) throw new Error(`${name} failed`);
    return work();
  }
}

function settledOnce(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Connections that share a client id give way to each other; the older one's end is awaited. */
export async function reconnect(dedup: DedupRig, older: Peer): Promise<Peer> {
  await cut(older);
  return dedup.client({ principal: older.connection.principal });
}

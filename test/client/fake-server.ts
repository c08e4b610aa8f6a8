import type { ClientClock, ClientRandom } from '../../lib/client/clock.interface.js';
import type { WebSocketConstructor } from '../../lib/client/web-socket.interface.js';
import { FakeWebSocket, type FakePeer, type Line, type Received, type Reception } from './fake-web-socket.js';

export type { FakePeer, Received, Reception } from './fake-web-socket.js';

/** The limits that the fake tells, unless a test says otherwise. */
export const LIMITS = { maxMessageBytes: 65_536, maxNesting: 32, maxInFlight: 64 };

export interface Answer {
  readonly data?: unknown;
  readonly error?: object;
}

/**
 * A server without a network, on the clock of the test: it says `$hello` and `$pong`, joins every channel,
 * and leaves messages without an answer, unless a test says otherwise.
 */
export class FakeServer {
  /** Every connection that was opened or refused by a close code, in order. */
  readonly peers: FakePeer[] = [];
  /** When attempts were made, whatever became of them. */
  readonly attempts: number[] = [];
  reception: Reception = 'accept';
  principal = 'ada';
  heartbeat: object | undefined = { intervalMs: 25_000, clientTimeoutMs: 40_000 };
  limits: Record<string, number> = { ...LIMITS };
  /** `undefined` leaves it without an answer. */
  onHello: (peer: FakePeer) => Answer | undefined = () => ({ data: this.welcome() });
  onSubscribe: (data: { channel: string; params?: unknown }) => Answer | undefined = ({ channel }) => ({
    data: { channel },
  });
  onUnsubscribe: (data: { channel: string }) => Answer | undefined = ({ channel }) => ({ data: { channel } });
  onMessage: (frame: Received, peer: FakePeer) => Answer | undefined = () => undefined;
  answersPings = true;

  readonly WebSocket: WebSocketConstructor;

  constructor(clock: ClientClock, hooks: Pick<Line, 'onWrite' | 'onDeliver'> = {}) {
    const line: Line = { clock, latencyMs: 1, ...hooks };
    const accept = (peer: FakePeer): void => this.#accept(peer);
    const attempt = (): Reception => {
      this.attempts.push(clock.now());
      return this.reception;
    };
    this.WebSocket = class extends FakeWebSocket {
      constructor(url: string, protocols: string[] = []) {
        const reception = attempt();
        super(url, protocols, line, reception);
        if (reception !== 'refuse' && reception !== 'hang') accept(this.peer);
      }
    };
  }

  /** The latest connection. */
  get peer(): FakePeer {
    const peer = this.peers.at(-1);
    if (!peer) throw new Error('nobody has connected');
    return peer;
  }

  /** All frames of all connections, in order. */
  get frames(): Received[] {
    return this.peers.flatMap(({ frames }) => frames);
  }

  get messages(): Received[] {
    return this.peers.flatMap(({ messages }) => messages);
  }

  welcome(): object {
    const { principal, heartbeat, limits } = this;
    return { connectionId: `c${this.peers.length}`, principal, heartbeat, limits };
  }

  /** Acks the latest message with this text, or this event. */
  answer(frame: Received | undefined, answer: Answer = {}): void {
    if (frame?.id === undefined) throw new Error('there is nothing to answer');
    this.peer.send({ ack: frame.id, ...answer });
  }

  publish(channel: string, event: string, data: unknown): void {
    this.peer.send({ channel, event, data });
  }

  #accept(peer: FakePeer): void {
    this.peers.push(peer);
    peer.onFrame = (frame) => {
      const answer = this.#answerOf(frame, peer);
      if (answer && frame.id !== undefined) peer.send({ ack: frame.id, ...answer });
    };
  }

  #answerOf(frame: Received, peer: FakePeer): Answer | undefined {
    switch (frame.event) {
      case '$hello':
        return this.onHello(peer);
      case '$subscribe':
        return this.onSubscribe(frame.data);
      case '$unsubscribe':
        return this.onUnsubscribe(frame.data);
      case '$ping':
        if (this.answersPings) peer.send({ event: '$pong' });
        return undefined;
      case '$pong':
        return undefined;
      default:
        return this.onMessage(frame, peer);
    }
  }
}

/** Chance that is the same in every run (mulberry32). */
export function seeded(seed: number): ClientRandom {
  let state = seed >>> 0;
  let ids = 0;
  const next = (): number => {
    state = (state + 0x6d_2b_79_f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  // Unique, of the right shape, and drawn apart from `next`, so that ids do not move the delays.
  const id = (): string => `id-${seed}-${++ids}`.padEnd(22, 'x');
  return { next, id };
}

import { onTestFinished } from 'vitest';
import {
  ChannelsClient,
  type ChannelsClientError,
  type ChannelsClientOptions,
  type ClientState,
} from '../../lib/client/index.js';
import { TestClock } from '../../lib/testing/test-clock.js';
import { FakeServer, seeded } from './fake-server.js';

/** How a call has ended, as far as it has. */
export interface Outcome {
  state: 'pending' | 'resolved' | 'rejected';
  value?: unknown;
  error?: any;
}

/** A client, its fake server, and time that a test moves. */
export class ClientRig {
  readonly clock = new TestClock();
  readonly server = new FakeServer(this.clock);
  readonly states: ClientState[] = [];
  readonly errors: ChannelsClientError[] = [];
  readonly client: ChannelsClient;

  /** @param hearing - `deaf` listens to no `$error` */
  constructor(options: ChannelsClientOptions = {}, seed = 1, hearing: 'deaf' | 'hears' = 'hears') {
    const { clock, server } = this;
    this.client = new ChannelsClient('ws://fake', {
      clock,
      random: seeded(seed),
      WebSocket: server.WebSocket,
      ...options,
    });
    this.client.on('$state', (state) => this.states.push(state));
    if (hearing === 'hears') this.client.on('$error', (error) => this.errors.push(error));
    onTestFinished(() => this.client.close());
  }

  /** A client that has been welcomed. */
  static async open(
    options: ChannelsClientOptions = {},
    prepare?: (rig: ClientRig) => void,
  ): Promise<ClientRig> {
    const rig = new ClientRig(options);
    prepare?.(rig);
    await rig.connect();
    return rig;
  }

  async connect(): Promise<void> {
    this.client.connect();
    await this.pass(10);
  }

  /** Lets time pass; a frame takes 1 ms. */
  async pass(ms = 5): Promise<void> {
    await this.clock.advance(ms);
  }

  /** Passes over the next wait, whatever it has been drawn to be. */
  async comeBack(): Promise<void> {
    const { state } = this.client;
    await this.pass(state.name === 'waiting' ? state.delayMs + 10 : 10);
  }

  /** Loses the connection and comes back. */
  async reconnect(): Promise<void> {
    this.server.peer.cut();
    await this.pass(2);
    await this.comeBack();
  }

  /** Sends, and remembers how it ends. */
  send(event: string, data?: unknown, options?: Parameters<ChannelsClient['send']>[2]): Outcome {
    return watched(this.client.send(event, data, options));
  }
}

/** Watches a promise without waiting for it. */
export function watched(promise: Promise<unknown>): Outcome {
  const outcome: Outcome = { state: 'pending' };
  promise.then(
    (value) => Object.assign(outcome, { state: 'resolved', value }),
    (error: unknown) => Object.assign(outcome, { state: 'rejected', error }),
  );
  return outcome;
}

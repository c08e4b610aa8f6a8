import { performance } from 'node:perf_hooks';
import {
  ChannelsClient,
  type ChannelsClientError,
  type ChannelsClientOptions,
  type ClientState,
} from 'nestjs-channels/client';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { Signal } from './client-signal.js';

/** Comes back so fast that a test need not wait. */
export const FAST_RETRY = { minRetryDelayMs: 1, maxRetryDelayMs: 20 } as const;

/** What a client has been through: its states and errors, and when. */
export class ClientLog extends Signal {
  readonly states: (ClientState & { readonly at: number })[] = [];
  readonly errors: ChannelsClientError[] = [];

  constructor(readonly client: ChannelsClient) {
    super();
    client.on('$state', (state) => {
      this.states.push({ ...state, at: performance.now() });
      this.tell();
    });
    client.on('$error', (error) => {
      this.errors.push(error);
      this.tell();
    });
  }

  get names(): string[] {
    return this.states.map(({ name }) => name);
  }

  /** How often the client has come to this state. */
  times(name: ClientState['name']): number {
    return this.names.filter((seen) => seen === name).length;
  }

  /** Resolves with the state when the client has come to it so often. */
  async reaches<Name extends ClientState['name']>(
    name: Name,
    times = 1,
  ): Promise<ClientState & { readonly name: Name; readonly at: number }> {
    await this.until(() => this.times(name) >= times);
    const reached = this.states.filter((state) => state.name === name)[times - 1];
    return reached as ClientState & { readonly name: Name; readonly at: number };
  }
}

/** A client on the sockets of `ws`, and its log. It closes with the test. */
export function openClient(url: string, options: ChannelsClientOptions = {}): ClientLog {
  const client = new ChannelsClient(url, { WebSocket, ...FAST_RETRY, ...options });
  onTestFinished(() => client.close());
  const log = new ClientLog(client);
  client.connect();
  return log;
}

/** How a call has ended. */
export type Outcome =
  | { readonly answer: unknown }
  | { readonly code: string; readonly closeCode?: number; readonly details?: unknown };

/** Settles with how a call ends, so that several of them can be looked at together. */
export async function outcomeOf(call: Promise<unknown>): Promise<Outcome> {
  try {
    return { answer: await call };
  } catch (error) {
    const { code, closeCode, details } = error as ChannelsClientError;
    return { code, ...(closeCode !== undefined && { closeCode }), ...(details !== undefined && { details }) };
  }
}

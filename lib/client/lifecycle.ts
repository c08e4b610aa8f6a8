import { CLOSE_CODES, closeVerdict } from '../protocol/index.js';
import { longestWait, type RetryOptions } from './backoff.js';
import type { ClientState, StateReason } from './client-state.js';

/** What the lifecycle of a client goes by. */
export interface LifecycleOptions extends RetryOptions {
  readonly connectTimeoutMs: number;
  readonly helloTimeoutMs: number;
  readonly stableAfterMs: number;
  readonly maxRetries: number;
  /** Whether there is a function to ask for another token. */
  readonly refreshable: boolean;
  /** Whether the server answers `$hello`. */
  readonly greets: boolean;
}

export interface Lifecycle {
  readonly state: ClientState;
  /** Losses and failed attempts since the last stable connection. */
  readonly failures: number;
  /** The token function was asked for a fresh token since the last stable connection. */
  readonly refreshed: boolean;
  /** A new identity was taken since the last stable connection. */
  readonly renewed: boolean;
  /** How far the attempt has come. */
  readonly step: 'token' | 'socket' | 'hello' | undefined;
  /** When the slot of a `$drain` begins. */
  readonly slotAt: number | undefined;
  /** The server has said how long to wait: no hint shortens it. */
  readonly ordered: boolean;
}

export const START: Lifecycle = {
  state: { name: 'idle', reason: 'created' },
  failures: 0,
  refreshed: false,
  renewed: false,
  step: undefined,
  slotAt: undefined,
  ordered: false,
};

/** `deadline` of the attempt, `retry` after a wait, `stable` after the connection has lasted, `slot` of a `$drain`. */
export type TimerName = 'deadline' | 'retry' | 'stable' | 'slot';

export type Input =
  /** `connect()`. */
  | { readonly type: 'connect' }
  /** Something needs the server. */
  | { readonly type: 'need' }
  | { readonly type: 'token'; readonly token: string | undefined }
  | { readonly type: 'opened' }
  | { readonly type: 'welcomed' }
  /** The socket has closed; the reason of the close may order a wait. */
  | { readonly type: 'lost'; readonly code: number; readonly retryAfterMs?: number }
  | { readonly type: 'failed'; readonly reason: 'token_failed' | 'connect_failed' | 'silence' }
  | { readonly type: 'time'; readonly timer: TimerName }
  | { readonly type: 'drain'; readonly reconnectAfterMs: number }
  /** The network or the page came back, perhaps. */
  | { readonly type: 'hint' }
  | { readonly type: 'close' }
  | { readonly type: 'reset' };

export type Effect =
  | { readonly type: 'askToken'; readonly refresh: boolean }
  | { readonly type: 'openSocket'; readonly token: string | undefined }
  | { readonly type: 'greet' }
  | { readonly type: 'dropSocket' }
  | { readonly type: 'startTimer'; readonly timer: TimerName; readonly ms: number }
  /** Ask the server for a sign of life. */
  | { readonly type: 'probe' }
  /** `$hello` has no answer: say what may be wrong. */
  | { readonly type: 'reportNoHello' }
  /** Take a new identity; what was sent under the old one is not sent again. */
  | { readonly type: 'renewIdentity' }
  /** Reject what waits, and take a new identity. */
  | { readonly type: 'forget' };

/** What was not decided by the input: the time, and one number of chance in `[0, 1)`. */
export interface Circumstances {
  readonly now: number;
  readonly chance: number;
}

export interface Step {
  readonly next: Lifecycle;
  readonly effects: readonly Effect[];
}

/**
 * The whole life of a client, as a pure function. A new `state` object means that a state was left:
 * its timers end. Inputs that mean nothing in a state change nothing.
 */
export function reduce(
  current: Lifecycle,
  input: Input,
  options: LifecycleOptions,
  circumstances: Circumstances,
): Step {
  return new Reduction(current, options, circumstances).take(input);
}

class Reduction {
  constructor(
    private readonly current: Lifecycle,
    private readonly options: LifecycleOptions,
    private readonly circumstances: Circumstances,
  ) {}

  take(input: Input): Step {
    const { name } = this.current.state;
    switch (input.type) {
      case 'close':
        return name === 'closed' ? this.#stay() : this.#close('close_called');
      case 'reset':
        return this.#reset();
      case 'connect':
        return this.#connect();
      case 'need':
        return name === 'idle' ? this.#begin('requested') : this.#stay();
      case 'hint':
        return this.#hint();
    }
    switch (name) {
      case 'connecting':
        return this.#whileConnecting(input);
      case 'open':
        return this.#whileOpen(input);
      case 'waiting':
        return input.type === 'time' && input.timer === 'retry' ? this.#attempt('retry') : this.#stay();
      case 'idle':
      case 'closed':
        return this.#stay();
    }
  }

  #whileConnecting(input: Input): Step {
    const { step } = this.current;
    switch (input.type) {
      case 'token':
        return this.#stay({ step: 'socket' }, { type: 'openSocket', token: input.token });
      case 'opened':
        if (!this.options.greets) return this.#open();
        return this.#stay({ step: 'hello' }, timer('deadline', this.options.helloTimeoutMs), {
          type: 'greet',
        });
      case 'welcomed':
        return this.#open();
      case 'lost':
        return this.#lost(input, step === 'hello' ? 'closed_by_server' : 'connect_failed');
      case 'failed':
        return this.#failed(input.reason);
      case 'time':
        if (input.timer !== 'deadline') return this.#stay();
        return step === 'hello'
          ? this.#failed('hello_timeout', { type: 'reportNoHello' })
          : this.#failed('connect_failed');
      default:
        return this.#stay();
    }
  }

  #whileOpen(input: Input): Step {
    switch (input.type) {
      case 'lost':
        return this.#lost(input, 'closed_by_server');
      case 'failed':
        return this.#failed(input.reason);
      case 'drain':
        return this.#stay(
          { slotAt: this.circumstances.now + input.reconnectAfterMs },
          timer('slot', input.reconnectAfterMs),
        );
      case 'time':
        if (input.timer === 'stable') return this.#stay({ failures: 0, refreshed: false, renewed: false });
        return input.timer === 'slot' ? this.#attempt('drain', {}, DROP) : this.#stay();
      default:
        return this.#stay();
    }
  }

  #connect(): Step {
    switch (this.current.state.name) {
      case 'idle':
      case 'closed':
        return this.#begin('requested');
      case 'waiting':
        return this.#attempt('requested');
      case 'open':
        return this.#stay({}, PROBE);
      case 'connecting':
        return this.#stay();
    }
  }

  #hint(): Step {
    const { state, ordered } = this.current;
    if (state.name === 'open') return this.#stay({}, PROBE);
    return state.name === 'waiting' && !ordered ? this.#attempt('hint') : this.#stay();
  }

  #reset(): Step {
    const { name } = this.current.state;
    if (name === 'idle' || name === 'closed') return this.#stay({}, FORGET);
    return this.#begin('reset_called', DROP, FORGET);
  }

  /** By the verdict of the code, docs/protocol.md section 8. */
  #lost({ code, retryAfterMs }: Lost, abnormal: StateReason): Step {
    const { refreshed, renewed } = this.current;
    if (isTokenRefusal(code) && this.options.refreshable && !refreshed) {
      return this.#attempt('token_refused', { refreshed: true, code });
    }
    if (code === CLOSE_CODES.Replaced.code && !renewed) {
      return this.#attempt('replaced', { renewed: true, code }, { type: 'renewIdentity' });
    }
    if (code === CLOSE_CODES.IdleTimeout.code) {
      return this.#enter({ name: 'idle', reason: 'idle_timeout', code }, {});
    }
    if (closeVerdict(code) === 'stay') return this.#close('closed_by_server', code);
    const reason = code === CLOSE_CODES.Abnormal.code ? abnormal : 'closed_by_server';
    return this.#wait(reason, { code, retryAfterMs });
  }

  #failed(reason: StateReason, ...effects: Effect[]): Step {
    return this.#wait(reason, {}, DROP, ...effects);
  }

  #wait(reason: StateReason, { code, retryAfterMs }: Partial<Lost>, ...effects: Effect[]): Step {
    const { failures: before, slotAt } = this.current;
    const failures = before + 1;
    if (failures > this.options.maxRetries) return this.#close('gave_up', code, ...effects);

    const { now, chance } = this.circumstances;
    const jitterMs = chance * longestWait(failures, this.options);
    const orderedMs = slotAt === undefined ? retryAfterMs : Math.max(slotAt - now, retryAfterMs ?? 0);
    // A slot is the client's own already; a time to come back after may be told to everybody.
    const delayMs = Math.round((orderedMs ?? 0) + (slotAt === undefined ? jitterMs : 0));
    return this.#enter(
      { name: 'waiting', reason, code, failures, delayMs },
      { failures, ordered: orderedMs !== undefined },
      ...effects,
      timer('retry', delayMs),
    );
  }

  /** From the beginning: what went wrong before does not count any more. */
  #begin(reason: StateReason, ...effects: Effect[]): Step {
    return this.#attempt(reason, { failures: 0, refreshed: false, renewed: false }, ...effects);
  }

  #attempt(reason: StateReason, { code, ...change }: Attempt = {}, ...effects: Effect[]): Step {
    const failures = change.failures ?? this.current.failures;
    const refresh = isTokenRefusal(code ?? this.current.state.code);
    return this.#enter(
      { name: 'connecting', reason, code, failures },
      { ...change, step: 'token' },
      ...effects,
      timer('deadline', this.options.connectTimeoutMs),
      { type: 'askToken', refresh },
    );
  }

  #open(): Step {
    const { stableAfterMs } = this.options;
    return this.#enter({ name: 'open', reason: 'welcomed' }, {}, timer('stable', stableAfterMs));
  }

  #close(reason: StateReason, code?: number, ...effects: Effect[]): Step {
    return this.#enter({ name: 'closed', reason, code }, {}, ...effects, DROP);
  }

  #enter(state: ClientState, change: Partial<Lifecycle>, ...effects: Effect[]): Step {
    const left = { step: undefined, slotAt: undefined, ordered: false };
    return { next: { ...this.current, ...left, ...change, state }, effects };
  }

  #stay(change: Partial<Lifecycle> = {}, ...effects: Effect[]): Step {
    return { next: { ...this.current, ...change }, effects };
  }
}

type Lost = Input & { readonly type: 'lost' };
type Attempt = Partial<Pick<Lifecycle, 'failures' | 'refreshed' | 'renewed'>> & { readonly code?: number };

const DROP: Effect = { type: 'dropSocket' };
const PROBE: Effect = { type: 'probe' };
const FORGET: Effect = { type: 'forget' };

function timer(name: TimerName, ms: number): Effect {
  return { type: 'startTimer', timer: name, ms };
}

function isTokenRefusal(code: number | undefined): boolean {
  return code === CLOSE_CODES.TokenExpired.code || code === CLOSE_CODES.Unauthorized.code;
}

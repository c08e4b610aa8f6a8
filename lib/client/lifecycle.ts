import {
  ABNORMAL_CLOSE,
  closeVerdict,
  IDLE_TIMEOUT_CLOSE,
  REPLACED_CLOSE,
  TOKEN_EXPIRED_CLOSE,
  UNAUTHORIZED_CLOSE,
} from '../protocol/close-verdict.js';
import { longestWait } from './backoff.js';
import type { ResolvedClientOptions } from './client-options.js';
import type { ClientState, StateReason } from './client-state.js';

/** What the lifecycle of a client goes by. */
export type LifecycleOptions = Pick<
  ResolvedClientOptions,
  | 'connectTimeoutMs'
  | 'helloTimeoutMs'
  | 'maxRetries'
  | 'maxRetryDelayMs'
  | 'minRetryDelayMs'
  | 'server'
  | 'stableAfterMs'
  | 'token'
>;

export interface Lifecycle {
  readonly state: ClientState;
  /** Losses and failed attempts since the last stable connection, without those that were given a slot. */
  readonly failures: number;
  /** The token function was asked for a fresh token since the last stable connection. */
  readonly refreshed: boolean;
  /** A new identity was taken since the last stable connection. */
  readonly renewed: boolean;
  /** The server has refused the token, and there is no other one yet. */
  readonly stale: boolean;
  /** How far the attempt has come. */
  readonly step: 'token' | 'socket' | 'hello' | undefined;
  /** When the slot of a `$drain` begins. */
  readonly slotAt: number | undefined;
  /** A hint came during the attempt, which may have begun too early: the next one does not wait. */
  readonly hinted: boolean;
}

export const START: Lifecycle = {
  state: { name: 'idle', reason: 'created' },
  failures: 0,
  refreshed: false,
  renewed: false,
  stale: false,
  step: undefined,
  slotAt: undefined,
  hinted: false,
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
  /** The socket has closed; the reason of the close may order a wait, in a slot of this client's own. */
  | { readonly type: 'lost'; readonly code: number; readonly retryAfterMs?: number; readonly slot?: string }
  | { readonly type: 'failed'; readonly reason: 'token_failed' | 'connect_failed' | 'silence' }
  /** A timer has fired. */
  | { readonly type: TimerName }
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
  /** Another connection is to be opened beside this one, which stays until that one has taken over. */
  | { readonly type: 'handOver' }
  /** Take a new identity. What was sent under the old one is given up, or all that waits. */
  | { readonly type: 'renewIdentity'; readonly giveUp: 'sent' | 'all' };

/** What an input does not say. */
export interface Circumstances {
  readonly now: number;
  /** A number in `[0, 1)`. */
  readonly chance: number;
  /** Whether a call waits for the server. */
  readonly isOwed: boolean;
}

export interface Step {
  readonly next: Lifecycle;
  readonly effects: readonly Effect[];
}

/** What every decision looks at. */
interface Situation extends Circumstances {
  readonly current: Lifecycle;
  readonly options: LifecycleOptions;
}

type Lost = Input & { readonly type: 'lost' };
type Change = Partial<Omit<Lifecycle, 'state'>>;

const DROP: Effect = { type: 'dropSocket' };
const PROBE: Effect = { type: 'probe' };
const HAND_OVER: Effect = { type: 'handOver' };
const FORGET: Effect = { type: 'renewIdentity', giveUp: 'all' };

/**
 * The whole life of a client, as a pure function. A new `state` object means that a state was left: its
 * timers end. An input that means nothing in a state changes nothing.
 */
export function reduce(
  current: Lifecycle,
  input: Input,
  options: LifecycleOptions,
  circumstances: Circumstances,
): Step {
  const situation = { current, options, ...circumstances };
  return asked(situation, input.type) ?? happened(situation, input) ?? stay(situation);
}

/** What the application asks for, in any state. */
function asked(situation: Situation, type: Input['type']): Step | undefined {
  const { state } = situation.current;
  const isAtRest = state.name === 'idle' || state.name === 'closed';
  switch (type) {
    case 'close':
      return state.name === 'closed' ? undefined : close(situation, 'close_called');
    case 'reset':
      return isAtRest ? stay(situation, {}, FORGET) : begin(situation, 'reset_called', DROP, FORGET);
    case 'need':
      return state.name === 'idle' ? begin(situation, 'requested') : undefined;
    case 'connect':
      return isAtRest ? begin(situation, 'requested') : hurry(situation, 'requested');
    case 'hint':
      // A wait that the server has ordered is not for a guess to shorten.
      if (state.name === 'waiting' && state.ordered) return undefined;
      return state.name === 'connecting' ? stay(situation, { hinted: true }) : hurry(situation, type);
  }
}

/** What happens to the connection. */
function happened(situation: Situation, input: Input): Step | undefined {
  switch (situation.current.state.name) {
    case 'connecting':
      return whileConnecting(situation, input);
    case 'open':
      return whileOpen(situation, input);
    case 'waiting':
      return input.type === 'retry' ? attempt(situation, 'retry') : undefined;
    case 'idle': {
      // One that is to take over from another: a server that drains whoever comes back is a failure of its own.
      const failures = situation.current.failures + 1;
      return input.type === 'slot' ? attempt(situation, 'drain', { failures }) : undefined;
    }
  }
}

function whileConnecting(situation: Situation, input: Input): Step | undefined {
  const { current, options } = situation;
  const isGreeting = current.step === 'hello';
  switch (input.type) {
    case 'token':
      return stay(situation, { step: 'socket', stale: false }, { type: 'openSocket', token: input.token });
    case 'opened':
      if (options.server === 'plain') return open(situation);
      return stay(situation, { step: 'hello' }, timer('deadline', options.helloTimeoutMs), { type: 'greet' });
    case 'welcomed':
      return open(situation);
    case 'lost':
      return lost(situation, input, isGreeting ? 'closed_by_server' : 'connect_failed');
    case 'failed':
      return wait(situation, input.reason, {}, DROP);
    case 'deadline':
      return wait(situation, isGreeting ? 'hello_timeout' : 'connect_failed', {}, DROP);
  }
}

function whileOpen(situation: Situation, input: Input): Step | undefined {
  const { current, options, now, chance } = situation;
  const { failures } = current;
  switch (input.type) {
    case 'lost':
      return lost(situation, input, 'closed_by_server');
    case 'failed':
      return wait(situation, input.reason, {}, DROP);
    case 'drain': {
      // A server that drains whoever comes back must not be met without a wait.
      const waitMs = failures > 0 ? chance * longestWait(failures, options) : 0;
      const slotMs = input.reconnectAfterMs + waitMs;
      return stay(situation, { slotAt: now + slotMs }, timer('slot', slotMs));
    }
    case 'stable':
      return stay(situation, NOTHING_WRONG);
    case 'slot':
      return stay(situation, { slotAt: undefined }, HAND_OVER);
  }
}

/** Makes sure of what there is, or tries at once. */
function hurry(situation: Situation, reason: StateReason): Step | undefined {
  const { name } = situation.current.state;
  if (name === 'open') return stay(situation, {}, PROBE);
  return name === 'waiting' ? attempt(situation, reason) : undefined;
}

/** By the verdict of the code, docs/protocol.md section 8. */
function lost(before: Situation, { code, retryAfterMs, slot }: Lost, abnormal: StateReason): Step {
  const stale = code === TOKEN_EXPIRED_CLOSE || code === UNAUTHORIZED_CLOSE;
  const situation = { ...before, current: { ...before.current, stale } };
  const { refreshed, renewed } = situation.current;
  if (stale && !refreshed && typeof situation.options.token === 'function') {
    return attempt(situation, 'token_refused', { code, refreshed: true });
  }
  if (code === REPLACED_CLOSE && !renewed) {
    return attempt(situation, 'replaced', { code, renewed: true }, { type: 'renewIdentity', giveUp: 'sent' });
  }
  const isIdle = code === IDLE_TIMEOUT_CLOSE;
  if (isIdle && !situation.isOwed) return enter(situation, { name: 'idle', reason: 'idle_timeout', code });
  if (closeVerdict(code) === 'stay' && !isIdle) return close(situation, 'closed_by_server', code);
  return wait(situation, code === ABNORMAL_CLOSE ? abnormal : 'closed_by_server', {
    code,
    retryAfterMs,
    slot,
  });
}

function wait(
  situation: Situation,
  reason: StateReason,
  { code, retryAfterMs, slot }: Partial<Lost>,
  ...effects: Effect[]
): Step {
  const { current, options, now, chance } = situation;
  // Who is sent to wait in line has not failed.
  const isInLine = slot && retryAfterMs;
  const failures = current.failures + (isInLine ? 0 : 1);
  if (failures > options.maxRetries) return close(situation, 'gave_up', code);

  const slotMs = current.slotAt === undefined ? -1 : Math.max(current.slotAt - now, 0);
  const orderedMs = Math.max(slotMs, retryAfterMs ?? 0);
  const ordered = slotMs >= 0 || retryAfterMs !== undefined;
  // A slot is this client's own; a time to come back after may have been told to everybody.
  const isOwn = orderedMs === slotMs || isInLine;
  const isJittered = !isOwn && (ordered || !current.hinted);
  const delayMs = Math.round(orderedMs + (isJittered ? chance * longestWait(failures, options) : 0));
  const state = { name: 'waiting', reason, code, failures, delayMs, ordered } as const;
  return enter(situation, state, { failures }, ...effects, timer('retry', delayMs));
}

const NOTHING_WRONG = { failures: 0, refreshed: false, renewed: false };

/** From the beginning: what went wrong before does not count any more. */
function begin(situation: Situation, reason: StateReason, ...effects: Effect[]): Step {
  return attempt(situation, reason, NOTHING_WRONG, ...effects);
}

function attempt(
  situation: Situation,
  reason: StateReason,
  { code, ...change }: Change & { readonly code?: number } = {},
  ...effects: Effect[]
): Step {
  const { current, options, chance } = situation;
  const failures = change.failures ?? current.failures;
  return enter(
    situation,
    { name: 'connecting', reason, code, failures },
    { ...change, step: 'token' },
    ...effects,
    // Not all at once: a server that only hangs would see the next attempts together.
    timer('deadline', options.connectTimeoutMs * (1 - chance / 2)),
    { type: 'askToken', refresh: current.stale },
  );
}

function open(situation: Situation): Step {
  const stable = timer('stable', situation.options.stableAfterMs);
  return enter(situation, { name: 'open', reason: 'welcomed' }, {}, stable);
}

function close(situation: Situation, reason: StateReason, code?: number): Step {
  return enter(situation, { name: 'closed', reason, code }, {}, DROP);
}

function enter({ current }: Situation, state: ClientState, change: Change = {}, ...effects: Effect[]): Step {
  const next = { ...current, step: undefined, slotAt: undefined, hinted: false, ...change, state };
  return { next, effects };
}

function stay({ current }: Situation, change: Change = {}, ...effects: Effect[]): Step {
  return { next: { ...current, ...change }, effects };
}

function timer(name: TimerName, ms: number): Effect {
  return { type: 'startTimer', timer: name, ms };
}

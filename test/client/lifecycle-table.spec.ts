import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ClientState } from '../../lib/client/index.js';
import {
  reduce,
  START,
  type Input,
  type Lifecycle,
  type LifecycleOptions,
} from '../../lib/client/lifecycle.js';
import { closeVerdict } from '../../lib/protocol/index.js';
import { codeSpan, readTable } from '../support/markdown-table.js';
import { ROOT } from '../support/repository.js';
import { OPTIONS } from './lifecycle-world.js';

const NAMES = ['idle', 'connecting', 'open', 'waiting', 'closed'] as const;
const CODES = [...Array.from({ length: 16 }, (_, at) => 1000 + at), 3000, 4000, 4401, 4429, 4499, 4500, 4501]
  .concat([4503, 4509, 4510, 4999])
  .filter((code) => code !== 1004);

type Name = ClientState['name'];
type Row = `${Name} | ${string} | ${string} | ${string}`;

type Terms = LifecycleOptions & { readonly isOwed: boolean };

interface Situation {
  readonly current: Lifecycle;
  readonly input: Input;
  readonly options: Terms;
}

/** The words of the table for what happens. `undefined` for what cannot happen there. */
function causeOf({ current, input, options }: Situation): string | undefined {
  const { state, step, failures } = current;
  const cause = ownCauseOf(input, current, options);
  const waits = cause !== undefined && WAITS.has(cause) && ['connecting', 'open'].includes(state.name);
  if (waits && failures >= options.maxRetries) {
    return 'anything that leads to `waiting`, once `maxRetries` attempts in a row have failed';
  }
  if (cause === undefined || (state.name === 'connecting' && !isOfStep(input, step, options)))
    return undefined;
  return cause;
}

const OWED = '4510, while a call waits';
const SOCKET_FAILS = 'the socket fails before it is open (1006)';
const COME_BACK = 'a close code that says come back';
const SILENCE = 'nothing was heard for `clientTimeoutMs`, or for 10 s after a probe';
const TOKEN = 'the token function fails, or gives no usable token';
const NO_SOCKET = 'the socket cannot be made, or `$hello` is refused';
const TOO_LONG = 'the socket is not open after `connectTimeoutMs`';
const NO_HELLO = '`$hello` is not answered after `helloTimeoutMs`';
const WAITS = new Set([OWED, SOCKET_FAILS, COME_BACK, SILENCE, TOKEN, NO_SOCKET, TOO_LONG, NO_HELLO]);

function ownCauseOf(input: Input, { step, ...current }: Lifecycle, options: Terms): string | undefined {
  switch (input.type) {
    case 'need':
      return 'something needs the server: a message, a channel, a listener';
    case 'connect':
    case 'close':
    case 'reset':
      return `\`${input.type}()\``;
    case 'welcomed':
      return '`$hello` is answered';
    case 'opened':
      return options.server === 'plain' ? 'the socket of a plain server is open' : 'the socket is open';
    case 'failed':
      return { token_failed: TOKEN, connect_failed: NO_SOCKET, silence: SILENCE }[input.reason];
    case 'deadline':
      return step === 'hello' ? NO_HELLO : TOO_LONG;
    case 'lost':
      return causeOfLoss(input.code, { step, ...current }, options);
    case 'slot':
      // While it is open nothing of the state changes by it.
      if (current.state.name === 'open') return input.type;
      return 'the slot that `$drain` gave has come: a second connection, see below';
    case 'retry':
      return 'the wait is over';
    case 'hint':
      return 'the network or the page came back, unless the wait is ordered';
    case 'token':
    case 'stable':
    case 'drain':
      return input.type;
  }
}

function causeOfLoss(code: number, current: Lifecycle, { token, isOwed }: Terms): string {
  const isRefusal = code === 4401 || code === 4501;
  if (isRefusal && typeof token === 'function' && !current.refreshed) {
    return '4401 or 4501, where `token` is a function, for the first time since a stable connection';
  }
  if (code === 4509 && !current.renewed) return '4509, for the first time since a stable connection';
  if (code === 4510) return isOwed ? OWED : '4510, while no call waits';
  if (closeVerdict(code) === 'stay') return 'any other close code that says stay away';
  const isOpen = current.step === 'hello' || current.state.name === 'open';
  return code === 1006 && !isOpen ? SOCKET_FAILS : COME_BACK;
}

/** An attempt has steps; what belongs to one cannot happen in another. */
function isOfStep(input: Input, step: Lifecycle['step'], { server }: LifecycleOptions): boolean {
  switch (input.type) {
    case 'token':
      return step === 'token';
    case 'opened':
      return step === 'socket';
    case 'welcomed':
      return step === 'hello' && server === 'channels';
    case 'failed':
      if (input.reason === 'token_failed') return step === 'token';
      return input.reason === 'connect_failed' && step !== 'token';
    default:
      return true;
  }
}

/** What only a connection or an attempt can report. */
const CANNOT_BE: Readonly<Record<string, readonly Name[]>> = {
  [SILENCE]: ['connecting'],
  [TOKEN]: ['open'],
  [NO_SOCKET]: ['open'],
};

function* situations(): Generator<Situation> {
  const flags = [false, true];
  for (const server of ['channels', 'plain'] as const)
    for (const token of [undefined, (): string => 'jwt'])
      for (const options of flags.map((isOwed) => ({ ...OPTIONS, server, token, isOwed })))
        for (const state of states())
          for (const step of state.name === 'connecting' ? STEPS : [undefined])
            for (const refreshed of flags)
              for (const renewed of flags)
                for (const failures of [0, OPTIONS.maxRetries])
                  for (const input of inputs())
                    yield {
                      current: { ...START, state, step, refreshed, renewed, failures },
                      input,
                      options,
                    };
}

const STEPS = ['token', 'socket', 'hello'] as const;

function states(): ClientState[] {
  const waiting = { name: 'waiting', reason: 'closed_by_server', failures: 1, delayMs: 5 } as const;
  return NAMES.flatMap((name): ClientState[] =>
    name === 'waiting'
      ? [
          { ...waiting, ordered: false },
          { ...waiting, ordered: true },
        ]
      : [{ name, reason: 'requested' } as ClientState],
  );
}

function inputs(): Input[] {
  const plain = (['connect', 'need', 'opened', 'welcomed', 'deadline', 'retry', 'stable', 'slot'] as const)
    .map((type): Input => ({ type }))
    .concat((['hint', 'close', 'reset'] as const).map((type) => ({ type })));
  const failed = (['token_failed', 'connect_failed', 'silence'] as const).map((reason): Input => ({
    type: 'failed',
    reason,
  }));
  const lost = CODES.flatMap((code): Input[] => [
    { type: 'lost', code },
    { type: 'lost', code, retryAfterMs: 100 },
  ]);
  const others: Input[] = [
    { type: 'token', token: 'jwt' },
    { type: 'drain', reconnectAfterMs: 5 },
  ];
  return [...plain, ...failed, ...lost, ...others];
}

/** The transitions that the reducer makes. */
function made(): Set<Row> {
  const rows = new Set<Row>();
  for (const situation of situations()) {
    const { current, input, options } = situation;
    const cause = causeOf(situation);
    const from = current.state.name;
    if (cause === undefined || CANNOT_BE[cause]?.includes(from)) continue;
    const { next } = reduce(current, input, options, { now: 0, chance: 0.5, isOwed: options.isOwed });
    if (next.state === current.state) continue;
    rows.add(`${from} | ${cause} | ${next.state.name} | ${next.state.reason}`);
  }
  return rows;
}

/** The transitions that the document promises. */
function documented(): Set<Row> {
  const text = readFileSync(join(ROOT, 'docs/client-states.md'), 'utf8');
  const rows = readTable(text, '', ['from', 'cause', 'to', 'reason']);
  return new Set(
    rows.flatMap(({ from, cause, to, reason }) =>
      from
        .split(', ')
        .map((name): Row => `${codeSpan(name) as Name} | ${cause} | ${codeSpan(to)} | ${codeSpan(reason)}`),
    ),
  );
}

describe('docs/client-states.md', () => {
  it('has a row for every transition of the reducer', () => {
    const rows = documented();

    expect([...made()].filter((row) => !rows.has(row))).toEqual([]);
  });

  it('promises no transition that the reducer does not make', () => {
    const rows = made();

    expect([...documented()].filter((row) => !rows.has(row))).toEqual([]);
  });

  it('has a row for each state', () => {
    const text = readFileSync(join(ROOT, 'docs/client-states.md'), 'utf8');

    const rows = readTable(text, '', ['state', 'meaning', 'its timers']);

    expect(rows.map(({ state }) => codeSpan(state))).toEqual(NAMES);
  });

  it('moves an ordered wait by no hint', () => {
    const ordered = states().filter((state) => state.name === 'waiting' && state.ordered);

    const next = ordered.map(
      (state) =>
        reduce({ ...START, state }, { type: 'hint' }, OPTIONS, { now: 0, chance: 0, isOwed: false }).next
          .state,
    );

    expect(next).toEqual(ordered);
  });
});

import type { Facts } from './facts.js';
import { CLAIM_LEASE_MS, OPTIONS } from './rules.js';
import type { Time } from './time.js';

/** A process that runs handlers. */
export interface Process {
  /** When it died, if it has. */
  readonly diedAt: number | undefined;
}

/** What a message asks its handler to do. */
export interface Work {
  /** Names the call of the client; unique in a history. */
  readonly n: number;
  readonly ms: number;
  readonly fails: 'no' | 'final' | 'retryable';
  /** How many runs fail where they fail retryably. */
  readonly times: number;
  /** How long its guard takes. */
  readonly guardMs: number;
}

/** One run of a handler. */
export interface Run {
  readonly at: number;
  readonly index: number;
  readonly key: string;
  readonly n: number;
  readonly event: string;
  readonly process: Process;
  /** Of the store that knew of it. */
  readonly storeLife: number;
  state: 'running' | 'ok' | 'final' | 'retryable';
  endedAt: number;
}

/** Who sent a message under which id: what a run is claimed by. */
export function keyOf(principal: string, clientId: string, id: unknown): string {
  return `${principal} ${clientId} ${String(id)}`;
}

/** A renewal is due every third of the lease, and looked at once a second. */
const RENEWED_WITHIN_MS = CLAIM_LEASE_MS / 3 + 2_000;

/** A store in another process knows of an answer so much later. */
const RECORDED_WITHIN_MS = 4;

/** Every run of every handler, and whether it was allowed. */
export class Runs {
  readonly all: Run[] = [];
  /** Times that the store has lost all that it knew. */
  storeLife = 0;
  /** Answers that the store gave up for want of room. */
  evicted = 0;
  readonly #byKey = new Map<string, Run[]>();

  constructor(
    private readonly facts: Facts,
    private readonly time: Time,
  ) {}

  begin(key: string, event: string, n: number, process: Process): Run {
    const { storeLife } = this;
    const index = this.all.length;
    const at = this.time.now;
    const run: Run = { at, index, key, n, event, process, storeLife, state: 'running', endedAt: Infinity };
    const before = this.of(key);
    if (event !== 'plain') {
      const first = before.find((earlier) => !this.#allowsAnother(earlier));
      this.facts.check('I6', !first, `${event} ${n} runs again (${key}); the run of ${first?.at} ms holds`);
    }
    this.all.push(run);
    this.#byKey.set(key, [...before, run]);
    return run;
  }

  /** Ends a run, as its message asks for, and says how. */
  end(run: Run, { fails, times }: Work): Run['state'] {
    run.endedAt = this.time.now;
    const failed = this.all.filter(({ n, state }) => n === run.n && state === 'retryable').length;
    if (fails === 'retryable') run.state = failed < times ? 'retryable' : 'ok';
    else run.state = fails === 'final' ? 'final' : 'ok';
    return run.state;
  }

  of(key: string): readonly Run[] {
    return this.#byKey.get(key) ?? [];
  }

  /** An answer with data leaves the server. */
  acked(key: string, event: string, data: unknown): void {
    const { run: index } = Object(data) as { readonly run?: number };
    const run = index === undefined ? undefined : this.all[index];
    this.facts.check('I4', run?.state === 'ok', `${event} is acked, its run is ${run?.state} (${key})`);
    this.facts.check('I6', !run || run.key === key, `${key} gets the answer of ${run?.key}`);
  }

  /** A final error leaves the server. */
  refused(key: string, event: string, code: string): void {
    if (code !== 'bad_request') return;
    const hasFailed = this.of(key).some(({ state }) => state === 'final');
    this.facts.check('I4', hasFailed, `${event} is refused, none of its runs has failed (${key})`);
  }

  /** docs/protocol.md section 6.4 says what ends a claim, and for how long an answer is kept. */
  #allowsAnother(run: Run): boolean {
    const { now } = this.time;
    if (run.state === 'retryable' || run.storeLife < this.storeLife) return true;
    // "Past that the oldest answers go early ... and a copy of them runs again."
    if (this.evicted > 0 && run.state !== 'running') return true;
    const { diedAt } = run.process;
    // "The claim of a process that has died lapses after `CLAIM_LEASE_MS`."
    // "A process that dies between the effect and its record may run the effect twice."
    const isRecorded = diedAt === undefined || diedAt > run.endedAt + RECORDED_WITHIN_MS;
    if (diedAt !== undefined && (run.state === 'running' || !isRecorded))
      return now >= diedAt + CLAIM_LEASE_MS - RENEWED_WITHIN_MS;
    // "A running claim is renewed and fenced until the handler settles, at most for `dedupWindowMs`."
    const keptFrom = run.state === 'running' ? run.at : run.endedAt;
    return now >= keptFrom + OPTIONS.dedupWindowMs;
  }
}

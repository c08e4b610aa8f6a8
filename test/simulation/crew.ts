import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Failure, Order, Outcome } from './batch.js';
import { build, type Mutation } from './build.js';

/** What becomes garbage within a history should not be moved about. */
const YOUNG_MEGABYTES = 64;

export interface Run {
  readonly seed: number;
  readonly count: number;
  /** Ends it although it has not ended: a library that is wrong may never. */
  readonly timeoutMs: number;
  /** Side by side; one after the other is the first failure the lowest. */
  readonly workers?: number;
  readonly mutation?: Mutation;
}

export interface Report {
  readonly played: number;
  readonly ms: number;
  readonly failure: Failure | undefined;
}

/** Plays the histories of a run in workers, until all were played or one has broken a promise. */
export async function run({ seed, count, timeoutMs, workers = 2, mutation }: Run): Promise<Report> {
  const code = await build(mutation);
  const began = performance.now();
  const crew = Math.min(workers, availableParallelism());
  const share = Math.ceil(count / crew);
  const orders = Array.from({ length: crew }, (_, at) => {
    const from = at * share;
    return { seed, from, count: Math.min(share, count - from) };
  });
  const outcomes = await Promise.all(orders.map((order) => work(code, order, timeoutMs)));
  const played = outcomes.reduce((sum, outcome) => sum + outcome.played, 0);
  const failure = outcomes.find((outcome) => outcome.failure)?.failure;
  return { played, ms: performance.now() - began, failure };
}

/** Rejects where the worker ends without an outcome, or not at all. */
async function work(code: string, workerData: Order, timeoutMs: number): Promise<Outcome> {
  const url = new URL(`data:text/javascript,${encodeURIComponent(code)}`);
  const worker = new Worker(url, {
    workerData,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MEGABYTES },
  });
  try {
    return await new Promise<Outcome>((resolve, reject) => {
      const late = (): void => reject(new Error(`no outcome after ${timeoutMs} ms`));
      const timer = setTimeout(late, timeoutMs);
      worker.once('message', (outcome: Outcome) => resolve(outcome));
      worker.once('error', reject);
      worker.once('exit', () => clearTimeout(timer));
    });
  } finally {
    await worker.terminate();
  }
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { ensureBuilt } from './app-process.js';
import { ROOT } from './repository.js';

/** What `bench/jitter.mjs` counts; over all clients. */
export interface JitterResult {
  readonly clients: number;
  readonly published: number;
  readonly delivered: number;
  readonly deliveredPercent: number;
  /** Came twice, or behind a later one. */
  readonly repeated: number;
  /** Places where publications are missing. */
  readonly holes: number;
  /** Holes without a `$gap`. */
  readonly undetected: number;
  /** `$gap` events. */
  readonly told: number;
  /** Clients without the last publication. */
  readonly behind: number;
  readonly recovered: number;
  readonly cuts: number;
  /** Attempts that a hint of the page has begun. */
  readonly hints: number;
  readonly replayed: number;
  readonly replayMs: { readonly p50: number; readonly p99: number; readonly max: number };
}

/** Runs the bench with real clients and a server in processes of their own, which end with the test. */
export async function runJitter(...args: string[]): Promise<JitterResult> {
  ensureBuilt();
  const bench = spawn(process.execPath, [join(ROOT, 'bench/jitter.mjs'), '--json', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(bench, 'exit');
  // Its children end when it has.
  onTestFinished(async () => {
    bench.kill('SIGKILL');
    await exited;
  });
  const [result, [code]] = await Promise.all([text(bench.stdout), exited]);
  if (code !== 0) throw new Error(`bench/jitter.mjs ended with ${String(code)}`);
  return JSON.parse(result) as JitterResult;
}

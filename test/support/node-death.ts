import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { ensureBuilt } from './app-process.js';
import { ROOT } from './repository.js';

/** What the clients of one node were given of the numbered publications, added up. */
export interface Tapes {
  readonly clients: number;
  readonly delivered: number;
  readonly repeated: number;
  /** Places where publications are missing. */
  readonly holes: number;
  /** Holes without a `$gap`. */
  readonly undetected: number;
  /** `$gap` events. */
  readonly told: number;
}

/** What `bench/node-death.mjs` has seen. */
export interface NodeDeathResult {
  /** Clients by their kind and their node, as `client doomed`. */
  readonly before: Readonly<Record<string, number>>;
  readonly published: number;
  /** Clients that are back on the other node, and of all that are still meant to be there those that are not. */
  readonly back: number;
  readonly away: number;
  readonly backMs: { readonly p50: number; readonly max: number };
  readonly recovered: number;
  /** Clients without the last publication. */
  readonly behind: number;
  /** Of the clients whose node has died, and of those on the other one. */
  readonly tapes: { readonly client: Tapes; readonly watcher: Tapes };
  readonly unanswered: number;
  readonly orders: {
    readonly sent: number;
    /** By the code of the error. */
    readonly rejected: Readonly<Record<string, number>>;
    readonly effects: number;
    readonly missing: number;
    readonly doubles: number;
    /** Second runs that found the first effect. */
    readonly again: number;
  };
  readonly presence: {
    /** Looks at which connections were counted that are not there, or not counted that are. */
    readonly wrongLooks: number;
    /** From when on all connections were counted right, and when those who stay away were gone as well. */
    readonly countsRightMs?: number;
    readonly exactMs?: number;
    /** Watchers, those of them with another list by `$join` and `$leave`, and events that contradict their list. */
    readonly rosters: number;
    readonly wrongRosters: number;
    readonly wrongEvents: number;
  };
}

/** Runs the bench with real clients, two nodes, a balancer and a Redis in processes of their own. */
export async function runNodeDeath(...args: string[]): Promise<NodeDeathResult> {
  ensureBuilt();
  const bench = spawn(process.execPath, [join(ROOT, 'bench/node-death.mjs'), '--json', ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const exited = once(bench, 'exit');
  // Its children end when it has; not with SIGKILL, which Redis and haproxy are not told of.
  onTestFinished(async () => {
    bench.kill('SIGTERM');
    await exited;
  });
  const [result, [code]] = await Promise.all([text(bench.stdout), exited]);
  if (code !== 0) throw new Error(`bench/node-death.mjs ended with ${String(code)}`);
  return JSON.parse(result) as NodeDeathResult;
}

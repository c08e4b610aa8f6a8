import { closeSync, lstatSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import type { CommandOutput } from './command-output.interface.js';
import { ExitCode } from './exit-code.js';
import { Interruption } from './interruption.js';
import { LoadError } from './load-error.js';
import { parseLoadOptions, type LoadOptions } from './load-options.js';
import type { LoadResult } from './load-result.js';
import { LoadRun } from './load-run.js';
import { loadTable } from './load-table.js';
import { loadUsage } from './load-usage.js';
import { progressLine } from './progress-line.js';
import { Progress } from './progress.js';
import { UsageError } from './usage-error.js';

const MS_PER_SECOND = 1_000;

/**
 * `nestjs-channels load`.
 *
 * @returns the exit code
 * @throws UsageError for options that cannot be used, LoadError where nobody can connect or the result is not written
 */
export async function load(
  args: readonly string[],
  output: CommandOutput,
  signal: AbortSignal,
): Promise<number> {
  const options = parseLoadOptions(args);
  if (options === 'help') {
    output.out(loadUsage());
    return ExitCode.Done;
  }
  checkWritable(options.jsonPath);
  const result = await runWithProgress(options, output, signal);
  output.out(loadTable(result));
  if (options.jsonPath !== undefined) write(options.jsonPath, result);
  const why: unknown = signal.reason;
  return result.wasInterrupted && why instanceof Interruption ? why.exitCode : ExitCode.Done;
}

async function runWithProgress(
  options: LoadOptions,
  { err, isTerminal }: CommandOutput,
  signal: AbortSignal,
): Promise<LoadResult> {
  const run = new LoadRun(options, signal);
  if (options.isQuiet) return run.run();
  const startedAt = performance.now();
  const seconds = (): number => Math.round((performance.now() - startedAt) / MS_PER_SECOND);
  const progress = new Progress(
    { isTerminal, write: err },
    () => `${seconds()} s  ${progressLine(run.phase, run.openCount, run.figures)}`,
  );
  try {
    return await run.run();
  } finally {
    progress.end();
  }
}

/** Before the run, which may take an hour. What the file has is left as it is, and where there is none there is none yet. */
function checkWritable(path: string | undefined): void {
  if (path === undefined) return;
  try {
    const isNew = lstatSync(path, { throwIfNoEntry: false }) === undefined;
    closeSync(openSync(path, 'a'));
    if (isNew) rmSync(path);
  } catch (error) {
    throw new UsageError(`--json (${path}) cannot be written; name a file in a folder of yours.`, {
      cause: error,
    });
  }
}

function write(path: string, result: LoadResult): void {
  try {
    writeFileSync(path, `${JSON.stringify(result, undefined, 2)}\n`);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new LoadError(`--json (${path}) was not written: ${why}.`, { cause: error });
  }
}

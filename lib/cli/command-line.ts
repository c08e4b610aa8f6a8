import type { CommandOutput } from './command-output.interface.js';
import { ExitCode } from './exit-code.js';
import { load } from './load-command.js';
import { LoadError } from './load-error.js';
import { packageVersion } from './package-version.js';
import { UsageError } from './usage-error.js';

const USAGE = `Usage: nestjs-channels <command>

  load <url>   opens connections, sends messages, and measures: load --help
  --help       this text
  --version    the version of the package
`;

/**
 * Carries out what was typed.
 *
 * @param args - without the program
 * @param signal - ends a command early; it still tells what it has
 * @returns the exit code
 */
export async function runCommandLine(
  args: readonly string[],
  output: CommandOutput,
  signal: AbortSignal,
): Promise<number> {
  try {
    return await run(args, output, signal);
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof LoadError)) throw error;
    output.err(`${error.message}\n`);
    return error instanceof UsageError ? ExitCode.Usage : ExitCode.Failed;
  }
}

async function run(args: readonly string[], output: CommandOutput, signal: AbortSignal): Promise<number> {
  const [command, ...rest] = args;
  switch (command) {
    case 'load':
      return load(rest, output, signal);
    case '--help':
      output.out(USAGE);
      return ExitCode.Done;
    case '--version':
      output.out(`${packageVersion()}\n`);
      return ExitCode.Done;
    case undefined:
      throw new UsageError(`A command is missing.\n\n${USAGE}`);
    default:
      throw new UsageError(`"${command}" is no command; nestjs-channels --help lists them.`);
  }
}

import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

const END_TIMEOUT_MS = 10_000;

/** A program of the cluster. What it says is passed on with its name in front, but for lines that are waited for. */
export class Program {
  readonly ended: Promise<unknown>;
  readonly #child: ChildProcess;
  #onLine = (_line: string): boolean => false;

  constructor(
    readonly name: string,
    [command = '', ...args]: readonly string[],
    options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv },
  ) {
    // In a group of its own: Ctrl-C is for the script, which ends them one after the other.
    this.#child = spawn(command, args, { ...options, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    this.ended = new Promise((resolve) => {
      this.#child.once('close', resolve);
      this.#child.once('error', (error: NodeJS.ErrnoException) => {
        const isMissing = error.code === 'ENOENT';
        console.error(
          `[${name}] ${isMissing ? `${command} is not installed, or not in PATH` : error.message}`,
        );
        resolve(error);
      });
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      if (stream)
        createInterface(stream).on('line', (line) => this.#onLine(line) || console.log(`[${name}] ${line}`));
    process.once('exit', () => this.#signal('SIGKILL'));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Resolves with what the pattern catches in a line; rejects where the program ends before. */
  async says(pattern: RegExp): Promise<string> {
    const said = new Promise<string>((resolve) => {
      this.#onLine = (line) => {
        const match = pattern.exec(line);
        if (match) resolve(match[1] ?? '');
        return match !== null;
      };
    });
    return Promise.race([said, this.endsEarly()]);
  }

  /** Rejects when it ends. */
  async endsEarly(): Promise<never> {
    await this.ended;
    throw new Error(`${this.name} has ended before it was ready: see what it said above.`);
  }

  /** Lets it finish what it does, for 10 s at most. */
  async end(): Promise<void> {
    this.#signal('SIGTERM');
    const timer = setTimeout(() => this.#signal('SIGKILL'), END_TIMEOUT_MS);
    await this.ended;
    clearTimeout(timer);
  }

  /** To the program and those that it has started. */
  #signal(name: NodeJS.Signals): void {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, name);
  }
}

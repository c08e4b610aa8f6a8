import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** Lines of output kept for the message of a failure. */
const KEPT_LINES = 50;

/** What this process has started and must not outlive it. */
const running = new Set<ChildProcess>();
process.once('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/** A server's process. Signals go to it by its id, and never to another of the same name. */
export class ServerProcess {
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #closed: Promise<unknown>;

  constructor(program: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}) {
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    running.add(child);
    // 'close' and not 'exit': what was said last may be read after the exit. It follows an 'error', too.
    this.#closed = new Promise((resolve) => child.once('close', resolve)).then(() => running.delete(child));
    child.once('error', (error) => this.#lines.push(String(error)));
    for (const stream of [child.stdout, child.stderr]) {
      createInterface(stream).on('line', (line) => {
        this.#lines.push(line);
        if (this.#lines.length > KEPT_LINES) this.#lines.shift();
        child.emit('line', line);
      });
    }
  }

  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error(`It was never started: ${this.said}`);
    return pid;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Its last lines. */
  get said(): string {
    return this.#lines.join('\n');
  }

  /** Resolves when a line has matched; false where it ends before, or says nothing of the kind in time. */
  async says(line: RegExp, timeoutMs: number): Promise<boolean> {
    const signal = AbortSignal.timeout(timeoutMs);
    const ended = this.#closed.then(() => 'ended' as const);
    try {
      while (!this.#lines.some((said) => line.test(said))) {
        const news = await Promise.race([ended, once(this.#child, 'line', { signal })]);
        if (news === 'ended') return false;
      }
      return true;
    } catch (error) {
      if (!signal.aborted) throw error;
      return false;
    }
  }

  signal(name: NodeJS.Signals): void {
    if (this.isRunning) this.#child.kill(name);
  }

  /** Ends it, also when it is stopped, and resolves when it is gone. */
  async end(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.signal(signal);
    await this.#closed;
  }
}

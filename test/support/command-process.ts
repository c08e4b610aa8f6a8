import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { Signal } from './client-signal.js';
import { ROOT } from './repository.js';

/** The built command in a process of its own, which ends with the test. */
export class CommandProcess extends Signal {
  out = '';
  err = '';
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;

  private constructor(child: ChildProcess) {
    super();
    this.#child = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#note(() => (this.out += text)));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#note(() => (this.err += text)));
    // 'close' and not 'exit': what was said last has been read by then.
    this.#ended = once(child, 'close').then(([code]) => code as number | null);
  }

  static start(...args: readonly string[]): CommandProcess {
    const child = spawn(process.execPath, [join(ROOT, 'dist/cli/main.js'), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const command = new CommandProcess(child);
    onTestFinished(async () => {
      child.kill('SIGKILL');
      await command.#ended;
    });
    return command;
  }

  /** The exit code, as soon as all that it has said was read. */
  get ended(): Promise<number | null> {
    return this.#ended;
  }

  interrupt(): void {
    this.#child.kill('SIGINT');
  }

  #note(add: () => void): void {
    add();
    this.tell();
  }
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { ensureBuilt } from './app-process.js';
import { Signal } from './client-signal.js';

/** A program of `test/chaos` in a process of its own, which ends with the test. */
export class ChaosProcess extends Signal {
  #said = '';
  readonly #exited: Promise<number | null>;

  /** @param command - what runs Node, where that is to be somewhere else than here */
  constructor(name: string, args: readonly string[], command: readonly string[] = []) {
    super();
    ensureBuilt();
    const script = fileURLToPath(new URL(`../chaos/${name}.mjs`, import.meta.url));
    const [program = process.execPath, ...rest] = [...command, process.execPath, script, ...args];
    // To the end, so that a run that fails can be repeated: its seed is on stderr.
    const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#exited = once(child, 'close').then(([code]) => code as number | null);
    createInterface(child.stdout).on('line', (line) => {
      this.#said += `${line}\n`;
      this.tell();
    });
    onTestFinished(async () => {
      child.kill('SIGKILL');
      await this.#exited;
    });
  }

  /** Resolves when it has said this line. */
  async says(line: string): Promise<void> {
    await Promise.race([
      this.until(() => this.#said.split('\n').includes(line)),
      this.#exited.then((code) => Promise.reject(new Error(`It ended with ${code} before it said ${line}.`))),
    ]);
  }

  /** What it has seen, as it says in the end, and how it has ended. */
  async result<Report>(): Promise<Report & { readonly code: number | null }> {
    const code = await this.#exited;
    return { ...(JSON.parse(this.#said.slice(this.#said.indexOf('{'))) as Report), code };
  }
}

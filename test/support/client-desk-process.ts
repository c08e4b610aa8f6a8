import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { ensureBuilt } from './app-process.js';
import { Signal } from './client-signal.js';

const SCRIPT = fileURLToPath(new URL('./client-desk-process.mjs', import.meta.url));

export interface DeskProcessOptions {
  /** The port of one that has ended; a free one unless given. */
  readonly port?: number;
  /** Whether it answers `ponder`. */
  readonly answers?: boolean;
}

/** The built package in a process of its own, which ends with the test. */
export class DeskProcess extends Signal {
  readonly #told: (readonly [word: string, value: unknown])[] = [];
  readonly #exited: Promise<unknown>;
  readonly #saidAll: Promise<unknown>;

  private constructor(private readonly child: ChildProcessByStdio<null, Readable, null>) {
    super();
    this.#exited = once(child, 'exit');
    const lines = createInterface(child.stdout);
    this.#saidAll = once(lines, 'close');
    lines.on('line', (line) => {
      this.#told.push(JSON.parse(line) as readonly [string, unknown]);
      this.tell();
    });
  }

  /** Resolves when it listens. */
  static async start({ port = 0, answers = false }: DeskProcessOptions = {}): Promise<DeskProcess> {
    ensureBuilt();
    const child = spawn(process.execPath, [SCRIPT, String(port), answers ? 'answers' : 'hangs'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const desk = new DeskProcess(child);
    onTestFinished(() => desk.end('SIGKILL'));
    await desk.until(() => desk.told('listening').length > 0);
    return desk;
  }

  get port(): number {
    return Number(this.told('listening')[0]);
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}/ws`;
  }

  /** What it has written under a word so far, in order. */
  told(word: string): unknown[] {
    return this.#told.filter(([told]) => told === word).map(([, value]) => value);
  }

  /** Resolves when it has ended, and all that it wrote has been read. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    this.child.kill(signal);
    await this.#exited;
    await this.#saidAll;
  }
}

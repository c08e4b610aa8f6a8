import { execFileSync, spawn, type ChildProcessByStdio } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import ts from 'typescript';
import { onTestFinished } from 'vitest';
import { readTree, ROOT } from './repository.js';

/** An application of `test/apps` in a process of its own, which ends with the test. */
export class AppProcess {
  readonly #lines: string[] = [];
  readonly #events = new EventEmitter();
  readonly #exited: Promise<{ readonly code: number | null; readonly at: number }>;

  /** What was said last may be read after the exit. */
  readonly #saidAll: Promise<unknown>;

  private constructor(private readonly child: ChildProcessByStdio<null, Readable, null>) {
    this.#exited = once(child, 'exit').then(([code]) => ({
      code: code as number | null,
      at: performance.now(),
    }));
    const lines = createInterface(child.stdout);
    lines.on('line', (line) => {
      this.#lines.push(line);
      this.#events.emit('line');
    });
    this.#saidAll = once(lines, 'close');
  }

  /**
   * Starts the built package with `test/apps/<name>/main.ts`, and resolves when it listens.
   *
   * @param env - variables beside those of this process
   */
  static async start(name: string, env: NodeJS.ProcessEnv = {}): Promise<AppProcess> {
    const child = spawn(process.execPath, [compile(`test/apps/${name}/main.ts`)], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
    });
    const app = new AppProcess(child);
    onTestFinished(async () => {
      child.kill('SIGKILL');
      await app.#exited;
    });
    await app.says('listening');
    return app;
  }

  get port(): number {
    return this.number('listening');
  }

  /** The number behind this word, where it has said one. */
  number(word: string): number {
    return Number(this.text(word));
  }

  /** The text behind this word, where it has said one. */
  text(word: string): string | undefined {
    return this.#lines.find((said) => said.startsWith(`${word} `))?.slice(word.length + 1);
  }

  /** Stops it (SIGSTOP): its kernel still acknowledges what comes, and nobody reads it. */
  freeze(): void {
    this.child.kill('SIGSTOP');
  }

  thaw(): void {
    this.child.kill('SIGCONT');
  }

  /** Ends it without a word to anybody (SIGKILL). */
  kill(): void {
    this.child.kill('SIGKILL');
  }

  /** Resolves when it has said this word so often; rejects where it ends before. */
  async says(word: string, times = 1): Promise<void> {
    while (this.#lines.filter((line) => line.split(' ')[0] === word).length < times) {
      const ended = await Promise.race([once(this.#events, 'line'), this.#exited]);
      if ('code' in ended)
        throw new Error(`The application ended with ${ended.code} before it said ${word}.`);
    }
  }

  /** Sends SIGTERM, and resolves when the process has ended and all that it has said has been read. */
  async terminate(): Promise<{ readonly code: number | null; readonly ms: number }> {
    const sentAt = performance.now();
    this.child.kill('SIGTERM');
    const { code, at } = await this.#exited;
    await this.#saidAll;
    return { code, ms: at - sentAt };
  }
}

/** Builds the package where that is due. `npm test` has done it; this is for those who run a single file. */
export function ensureBuilt(): void {
  const built = join(ROOT, 'dist/index.js');
  const builtAt = existsSync(built) ? statSync(built).mtimeMs : 0;
  const isFresh = [...readTree('lib', '.ts').keys()].every(
    (path) => statSync(join(ROOT, path)).mtimeMs <= builtAt,
  );
  if (isFresh) return;
  execFileSync('npm', ['run', 'build', '--silent'], { cwd: ROOT, stdio: 'inherit' });
}

/** Beside `dist`, so that `nestjs-channels` is the package itself. Returns the path of the compiled file. */
function compile(path: string): string {
  const { outputText } = ts.transpileModule(readFileSync(join(ROOT, path), 'utf8'), {
    fileName: path,
    compilerOptions: {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.ESNext,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
    },
  });
  const compiled = join(ROOT, 'test-artifacts', path.replace(/\.ts$/, '.js'));
  mkdirSync(dirname(compiled), { recursive: true });
  writeFileSync(compiled, outputText);
  return compiled;
}

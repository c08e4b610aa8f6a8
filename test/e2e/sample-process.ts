import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import ts from 'typescript';
import { onTestFinished } from 'vitest';
import { Signal } from '../support/client-signal.js';
import { readTree, ROOT } from '../support/repository.js';

export interface SampleProcessOptions {
  /** 0 takes a free one. */
  readonly port?: number;
  /** Where it keeps its files. A folder that vanishes with the test, unless given. */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A sample in a process of its own, so that it can be killed. It ends with the test. */
export class SampleProcess extends Signal {
  /** All that it has said so far, line by line. */
  readonly said: string[] = [];
  #port: number | undefined;
  #hasEnded = false;
  private readonly child: ChildProcess;

  /** Runs Node with these arguments. */
  constructor(
    protected readonly args: readonly string[],
    { port = 0, cwd = temporaryFolder(), env }: SampleProcessOptions,
  ) {
    super();
    this.child = spawn(process.execPath, args, {
      cwd,
      // Not the environment of the test: NODE_ENV, JWT_SECRET and the like are what is tested.
      env: { PATH: process.env.PATH, NO_COLOR: '1', PORT: `${port}`, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      if (stream) createInterface(stream).on('line', (line) => this.#note(line));
    }
    // 'close' and not 'exit': what was said last may be read after the exit.
    this.child.once('close', () => {
      this.#hasEnded = true;
      this.tell();
    });
    onTestFinished(() => {
      // A frozen process would take the signal when it wakes up.
      this.child.kill('SIGCONT');
      return this.#end('SIGTERM');
    });
  }

  /** Resolves when it says where it serves; rejects with all that it said where it ends before. */
  async serves(): Promise<this> {
    await this.until(() => this.#port !== undefined || this.#hasEnded);
    if (this.#port !== undefined) return this;
    throw new Error(`The sample ended with ${this.child.exitCode}: ${this.said.join('\n')}`);
  }

  get port(): number {
    return this.#port ?? 0;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/`;
  }

  /** As a crash ends it: no close frame, nothing saved. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** As an update ends it. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  /** Resolves when it has ended by itself, with the signal where one has ended it. */
  async ended(): Promise<NodeJS.Signals | null> {
    await this.until(() => this.#hasEnded);
    return this.child.signalCode;
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** It takes what arrives no more, and says nothing, until it is killed. */
  freeze(): void {
    this.child.kill('SIGSTOP');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exit = once(this.child, 'exit');
    this.child.kill(signal);
    await exit;
  }

  #note(line: string): void {
    this.said.push(line);
    const port = /(?:Open http|at ws):\/\/[^ ]+:(\d+)/.exec(line)?.[1];
    if (port !== undefined) this.#port = Number(port);
    this.tell();
  }
}

/** A folder of the test, outside of the repository. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sample-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

const compiled = new Set<string>();

/** What a sample reads beside its sources. */
const ASSETS = ['public', 'nginx.conf', 'haproxy.cfg', 'prometheus.yml'];

/**
 * Compiles the sources below a folder beside `dist`, so that `nestjs-channels` is the package itself; each worker of
 * the run has its own copy. Returns the path of the copy.
 */
export function compileFolder(folder: string): string {
  const target = join(ROOT, 'test-artifacts', `worker-${process.env.VITEST_POOL_ID}`);
  if (compiled.has(folder)) return join(target, folder);
  compiled.add(folder);
  for (const [path, source] of readTree(folder, '.ts')) write(join(target, path), path, source);
  for (const asset of ASSETS) {
    const path = join(ROOT, folder, asset);
    if (existsSync(path)) cpSync(path, join(target, folder, asset), { recursive: true });
  }
  return join(target, folder);
}

function write(target: string, path: string, source: string): void {
  const { outputText } = ts.transpileModule(source, {
    fileName: path,
    compilerOptions: {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.ESNext,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
    },
  });
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target.replace(/\.ts$/, '.js'), outputText);
}

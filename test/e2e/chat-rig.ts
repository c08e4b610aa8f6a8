import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { TestClient, type TestClientOptions } from 'nestjs-channels/testing';
import ts from 'typescript';
import { onTestFinished } from 'vitest';
import { readTree, ROOT } from '../support/repository.js';

const SAMPLE = 'sample/01-chat';

export interface ChatProcessOptions {
  /** 0 takes a free one. */
  readonly port?: number;
  /** Where the secret is kept. A folder that vanishes with the test, unless given. */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** The chat sample in a process of its own, so that it can be killed. It ends with the test. */
export class ChatProcess {
  private constructor(
    readonly port: number,
    private readonly child: ChildProcess,
  ) {}

  /** Resolves when it serves; rejects with all that it said where it ends before. */
  static async start({
    port = 0,
    cwd = temporaryFolder(),
    env,
  }: ChatProcessOptions = {}): Promise<ChatProcess> {
    return ChatProcess.run([compileChat()], { port, cwd, env });
  }

  /** Runs Node with these arguments until it says where the chat is served. */
  static async run(args: readonly string[], options: ChatProcessOptions): Promise<ChatProcess> {
    const child = spawn(process.execPath, args, {
      cwd: options.cwd,
      // Not the environment of the test: NODE_ENV, JWT_SECRET and the like are what is tested.
      env: { PATH: process.env.PATH, NO_COLOR: '1', PORT: `${options.port}`, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    onTestFinished(() => {
      // A frozen process would take the signal when it wakes up.
      child.kill('SIGCONT');
      return end(child, 'SIGTERM');
    });
    return new ChatProcess(await servedPort(child), child);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/`;
  }

  /** As a crash ends it: no close frame, nothing saved. */
  async kill(): Promise<void> {
    await end(this.child, 'SIGKILL');
  }

  /** As an update ends it. */
  async stop(): Promise<void> {
    await end(this.child, 'SIGTERM');
  }

  /** It takes what arrives no more, and says nothing, until it is killed. */
  freeze(): void {
    this.child.kill('SIGSTOP');
  }

  /** Resolves with a token for this name. */
  async logIn(name: string): Promise<string> {
    const response = await fetch(`${this.url}login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name }),
    });
    const { token }: { token: string } = JSON.parse(await response.text());
    return token;
  }

  /** Logs in and connects, as a program does. */
  async connect(name: string, options: TestClientOptions = {}): Promise<TestClient> {
    const token = await this.logIn(name);
    const client = await TestClient.connect(`ws://127.0.0.1:${this.port}/ws`, { token, ...options });
    onTestFinished(() => client.terminate());
    return client;
  }
}

/** A folder of the test, outside of the repository. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'chat-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
}

async function servedPort(child: ChildProcess): Promise<number> {
  const said: string[] = [];
  return new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      if (!stream) continue;
      createInterface(stream).on('line', (line) => {
        said.push(line);
        const port = /Open http:\/\/[^ ]+:(\d+)/.exec(line)?.[1];
        if (port !== undefined) resolve(Number(port));
      });
    }
    // 'close' and not 'exit': what was said last may be read after the exit.
    child.once('close', (code) => reject(new Error(`The chat ended with ${code}: ${said.join('\n')}`)));
  });
}

let compiled: string | undefined;

/** Beside `dist`, so that `nestjs-channels` is the package itself; each worker of the run has its own. */
function compileChat(): string {
  if (compiled !== undefined) return compiled;
  const folder = join(ROOT, 'test-artifacts', `chat-${process.env.VITEST_POOL_ID}`);
  mkdirSync(folder, { recursive: true });
  cpSync(join(ROOT, SAMPLE, 'public'), join(folder, 'public'), { recursive: true });
  for (const [path, source] of readTree(SAMPLE, '.ts')) {
    const { outputText } = ts.transpileModule(source, {
      fileName: path,
      compilerOptions: {
        target: ts.ScriptTarget.ES2023,
        module: ts.ModuleKind.ESNext,
        experimentalDecorators: true,
        emitDecoratorMetadata: true,
      },
    });
    writeFileSync(join(folder, path.slice(SAMPLE.length + 1).replace(/\.ts$/, '.js')), outputText);
  }
  compiled = join(folder, 'main.js');
  return compiled;
}

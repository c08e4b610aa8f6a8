import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, onTestFinished } from 'vitest';
import { WebSocket, type ClientOptions } from 'ws';
import { Deferred } from './deferred.js';
import { readTree, ROOT } from './repository.js';

export type Nest = 'nest11' | 'nest12';
/** Ours installs itself, or the application installs it with `useWebSocketAdapter`. */
export type Adapter = 'stock' | 'channels' | 'by-hand' | 'none';
export type Framework = 'express' | 'fastify';

/** An application of `test/apps`, on the packed and installed package, in a process of its own. */
export class InstalledApp {
  readonly #exited: Promise<number | null>;
  #output = '';

  private constructor(private readonly child: ChildProcess) {
    this.#exited = once(child, 'exit').then(([code]) => code as number | null);
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
  }

  /** Does not wait for it to listen: some never do. */
  static run(
    nest: Nest,
    adapter: Adapter,
    framework: Framework,
    set: string,
    ...more: readonly string[]
  ): InstalledApp {
    expectFresh(nest);
    const folder = join(ROOT, 'test/apps', nest);
    const args = [adapter, framework, set, ...more];
    return new InstalledApp(fork(join(folder, 'dist/main.js'), args, { cwd: folder, silent: true }));
  }

  /** Resolves with its port, as soon as it listens; rejects with its output where it ends before. */
  async listening(): Promise<number> {
    const [told] = (await Promise.race([once(this.child, 'message'), this.#endedTooSoon()])) as [
      { readonly listening: number },
    ];
    return told.listening;
  }

  /** All that it has written so far. */
  get output(): string {
    return this.#output;
  }

  /** The code with which it ended; null where a signal has ended it. */
  get exited(): Promise<number | null> {
    return this.#exited;
  }

  stop(): void {
    this.child.kill('SIGTERM');
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.#exited;
  }

  async #endedTooSoon(): Promise<never> {
    const code = await this.#exited;
    throw new Error(`The application ended with ${code} before it listened:\n${this.#output}`);
  }
}

/** An application that listens, and where. */
export interface RunningApp {
  readonly app: InstalledApp;
  readonly port: number;
  /** The ports of its gateways that have one of their own. */
  readonly ownPorts: readonly number[];
}

/** Applications that live until the tests of a file are over, each started once, when it is first asked for. */
export function installedApps(
  set: string,
  ownPorts = 0,
): (nest: Nest, adapter: Adapter, framework: Framework) => Promise<RunningApp> {
  const running = new Map<string, Promise<RunningApp>>();
  afterAll(async () => {
    for (const started of await Promise.allSettled(running.values()))
      if (started.status === 'fulfilled') await started.value.app.kill();
  });
  return (nest, adapter, framework) => {
    const key = `${nest} ${adapter} ${framework}`;
    const run = (ports: readonly number[]): InstalledApp =>
      InstalledApp.run(nest, adapter, framework, set, ...ports.map(String));
    const app = running.get(key) ?? startWithPorts(run, ownPorts);
    running.set(key, app);
    return app;
  };
}

/** Somebody else may take a port between its being found free and its being used. */
const PORT_ATTEMPTS = 3;

async function startWithPorts(
  run: (ports: readonly number[]) => InstalledApp,
  count: number,
): Promise<RunningApp> {
  for (let attempt = 1; ; attempt++) {
    const ownPorts = await freePorts(count);
    const app = run(ownPorts);
    const port = await app.listening().catch((error: unknown) => error);
    // The stock adapter only logs it, and goes on without the port.
    const isTaken = app.output.includes('EADDRINUSE');
    if (typeof port === 'number' && !isTaken) return { app, port, ownPorts };
    await app.kill();
    if (!isTaken || attempt === PORT_ATTEMPTS) throw port;
  }
}

/** Ports that are free now. All are held until the last is found: none comes twice. */
async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

async function start(app: InstalledApp): Promise<{ app: InstalledApp; port: number }> {
  return { app, port: await app.listening() };
}

/** An application for one test, which it may end. */
export async function startInstalled(
  nest: Nest,
  adapter: Adapter,
  set: string,
  ...more: readonly string[]
): Promise<{ readonly app: InstalledApp; readonly port: number }> {
  const app = InstalledApp.run(nest, adapter, 'express', set, ...more);
  onTestFinished(() => app.kill());
  return start(app);
}

/** What a client of an application sees: the frames as they travel, and how the connection ends. */
export class RawClient {
  readonly frames: string[] = [];
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  #arrived = new Deferred();

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data, isBinary) => {
      this.frames.push(isBinary ? `binary ${(data as Buffer).toString('hex')}` : String(data));
      this.#arrived.resolve();
      this.#arrived = new Deferred();
    });
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }));
    });
  }

  /** Rejects with the status of a refusal. */
  static async open(
    port: number,
    path: string,
    protocols: readonly string[] = [],
    options: ClientOptions = {},
  ): Promise<RawClient> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, [...protocols], options);
    const client = new RawClient(socket);
    onTestFinished(() => socket.terminate());
    await once(socket, 'open');
    return client;
  }

  send(message: object | string): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** Resolves when so many frames are there; rejects where the connection ends before. */
  async received(count: number): Promise<void> {
    await this.#until(() => this.frames.length >= count);
  }

  /** Resolves when this frame is there. */
  async receives(frame: string): Promise<void> {
    await this.#until(() => this.frames.includes(frame));
  }

  async #until(isDone: () => boolean): Promise<void> {
    while (!isDone()) {
      const end = await Promise.race([this.#arrived.promise, this.closed]);
      if (end !== undefined)
        throw new Error(`closed with ${end.code} "${end.reason}" after ${this.frames.length} frames`);
    }
  }
}

const fresh = new Set<Nest>();

/** Rejects an installed package that is not what `lib` and the gateways say today. */
export function expectFresh(nest: Nest): void {
  if (fresh.has(nest)) return;
  const installed = `test/apps/${nest}/node_modules/nestjs-channels`;
  const pairs = [
    ...[...readTree('dist', '.js').keys()].map((path) => [path, join(installed, path)]),
    ...[...readTree('test/apps/drop-in', '.ts').keys()].map((path) => [
      path,
      path.replace('drop-in', `${nest}/src`),
    ]),
  ] as [string, string][];
  const stale = pairs.filter(([source, copy]) => !isSame(join(ROOT, source), join(ROOT, copy)));
  if (stale.length > 0)
    throw new Error(`${stale[0]?.[1]} is not what ${stale[0]?.[0]} is: run npm run test:apps.`);
  fresh.add(nest);
}

function isSame(source: string, copy: string): boolean {
  return existsSync(copy) && readFileSync(source).equals(readFileSync(copy));
}

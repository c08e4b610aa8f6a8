import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { onTestFinished } from 'vitest';
import type { Lifetime } from './lifetime.js';
import { ServerProcess } from './server-process.js';
import { freeServerPort } from './server-port.js';

/** Lines of redis.conf: name to value, as they are written there. A list is one line for each of its values. */
export type RedisConfig = Readonly<Record<string, string | number | readonly string[]>>;

export interface RedisServerOptions {
  /** On top of what a test server always has: the loopback interface, and nothing written by itself. */
  readonly config?: RedisConfig;
  readonly isSentinel?: boolean;
  /** Of its process, such as that of a `SteppedClock`. */
  readonly env?: NodeJS.ProcessEnv;
  /** `onTestFinished` unless given. See `untilAfterAll` for what `beforeAll` starts. */
  readonly lifetime?: Lifetime;
}

const HOST = '127.0.0.1';
const CONFIG_FILE = 'redis.conf';
const READY = /Ready to accept connections|Sentinel ID is/;
const PORT_TAKEN = /Address already in use/;
const TIMEOUT_MS = 10_000;
const ATTEMPTS = 5;

/** A Redis server of the test's own: its port, its folder, its process. */
export class RedisServer {
  readonly host = HOST;
  private process: ServerProcess;
  private isFrozen = false;

  private constructor(
    readonly port: number,
    private readonly folder: string,
    private readonly options: RedisServerOptions,
  ) {
    writeFileSync(join(folder, CONFIG_FILE), configText(port, options));
    this.process = this.#launch();
  }

  /** Resolves when the server answers. */
  static async start(options: RedisServerOptions = {}): Promise<RedisServer> {
    const { lifetime = onTestFinished } = options;
    const folder = mkdtempSync(join(tmpdir(), 'channels-redis-'));
    let server: RedisServer | undefined;
    lifetime(async () => {
      await server?.kill();
      rmSync(folder, { recursive: true, force: true });
    });
    for (let attempt = 1; ; attempt += 1) {
      server = new RedisServer(await freeServerPort(), folder, options);
      if (await server.#answers()) return server;
      await server.kill();
      // Somebody may have taken the port after it was found free.
      const { said } = server.process;
      if (!PORT_TAKEN.test(said) || attempt === ATTEMPTS) throw new Error(`Redis did not start:\n${said}`);
    }
  }

  get url(): string {
    const password = this.options.config?.['requirepass'];
    const user = password === undefined ? '' : `:${encodeURIComponent(String(password))}@`;
    return `redis://${user}${this.host}:${this.port}`;
  }

  get pid(): number {
    return this.process.pid;
  }

  /** Neither ended nor frozen. */
  get isRunning(): boolean {
    return this.process.isRunning && !this.isFrozen;
  }

  /** Runs one command on a connection of its own. Rejects where the server is away or does not answer. */
  async run(command: string, ...args: readonly (string | number)[]): Promise<unknown> {
    const connection = new Redis(this.url, {
      lazyConnect: true,
      connectTimeout: TIMEOUT_MS,
      commandTimeout: TIMEOUT_MS,
      retryStrategy: () => null,
      maxRetriesPerRequest: 0,
      enableReadyCheck: false,
    });
    // What fails is told by the promises below.
    connection.on('error', () => undefined);
    try {
      await connection.connect();
      return await connection.call(command, ...args);
    } finally {
      connection.disconnect();
    }
  }

  /** The fields of one section of INFO. */
  async info(section: string): Promise<ReadonlyMap<string, string>> {
    return fieldsOf(String(await this.run('info', section)));
  }

  /** Writes the snapshot that {@link restart} loads. */
  async save(): Promise<void> {
    await this.run('save');
  }

  /** As a crash or the kernel's memory killer ends it: nothing is saved, nobody is told. */
  kill(): Promise<void> {
    return this.process.end('SIGKILL');
  }

  /** As an update ends it (SIGTERM). */
  stop(): Promise<void> {
    return this.process.end('SIGTERM');
  }

  /** Stops it (SIGSTOP): its kernel still acknowledges what comes, and nobody reads it. */
  freeze(): void {
    this.isFrozen = true;
    this.process.signal('SIGSTOP');
  }

  thaw(): void {
    this.isFrozen = false;
    this.process.signal('SIGCONT');
  }

  /** Starts it on the same port with the folder that it has left, and kills it first where it still runs. */
  async restart(): Promise<void> {
    await this.kill();
    this.isFrozen = false;
    this.process = this.#launch();
    if (!(await this.#answers())) throw new Error(`Redis did not start again:\n${this.process.said}`);
  }

  #launch(): ServerProcess {
    const mode = this.options.isSentinel ? ['--sentinel'] : [];
    return new ServerProcess('redis-server', [CONFIG_FILE, ...mode], this.folder, this.options.env);
  }

  async #answers(): Promise<boolean> {
    if (!(await this.process.says(READY, TIMEOUT_MS))) return false;
    return (await this.run('ping')) === 'PONG';
  }
}

function configText(port: number, { config, isSentinel }: RedisServerOptions): string {
  const own = { bind: HOST, port, dir: './' };
  const quiet = isSentinel ? {} : { save: '""', appendonly: 'no' };
  const lines = Object.entries({ ...quiet, ...config, ...own });
  return lines.flatMap(([name, value]) => [value].flat().map((each) => `${name} ${each}\n`)).join('');
}

/** The lines `name:value` of INFO and of CLUSTER INFO. */
export function fieldsOf(text: string): ReadonlyMap<string, string> {
  const lines = text.split('\r\n').filter((line) => line.includes(':'));
  return new Map(
    lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)] as const),
  );
}

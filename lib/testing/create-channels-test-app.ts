import type { AddressInfo } from 'node:net';
import type { DynamicModule, INestApplication, ModuleMetadata, Provider } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import { ChannelsModule } from '../nest/channels.module.js';
import type { ChannelsModuleOptions } from '../nest/channels-options.interface.js';
import { ChannelsService } from '../nest/channels.service.js';
import { CHANNELS_CLOCK } from '../nest/tokens.js';
import { FaultProxy } from './fault-proxy.js';
import { TestClient, type TestClientOptions } from './test-client.js';
import type { TestClock } from './test-clock.js';

/**
 * What {@link createChannelsTestApp} builds an application from.
 *
 * @publicApi
 */
export interface ChannelsTestAppOptions {
  /** Gateways and what they inject. */
  readonly providers?: Provider[];
  /** Modules of the application. Where none of them brings a `ChannelsModule`, one is added. */
  readonly imports?: ModuleMetadata['imports'];
  /** Options of the `ChannelsModule` that is added; `drainWindowMs` is 0 where they do not say otherwise. */
  readonly channels?: ChannelsModuleOptions;
  /** Time that the test moves. Default: real time. */
  readonly clock?: TestClock;
  /** Overrides, as on any testing module: `(builder) => builder.overrideGuard(JwtGuard).useValue(...)`. */
  readonly override?: (builder: TestingModuleBuilder) => TestingModuleBuilder;
  /** The HTTP framework. Default: Nest's own, Express. */
  readonly httpAdapter?: () => AbstractHttpAdapter;
  /** What `main.ts` does before it listens: global guards, pipes, shutdown hooks. */
  readonly configure?: (app: INestApplication) => void | Promise<void>;
}

/**
 * A running application on a free port of 127.0.0.1, with clients that close with it.
 *
 * @publicApi
 */
export class ChannelsTestApp {
  readonly #clients: TestClient[] = [];
  readonly #proxies: FaultProxy[] = [];

  constructor(
    /** The application itself, for `app.nest.get(...)`. */
    readonly nest: INestApplication,
    /** The port that it listens on. */
    readonly port: number,
  ) {}

  /** To publish, to look who is there and to disconnect. */
  get channels(): ChannelsService {
    return this.nest.get(ChannelsService);
  }

  /** Where a client connects to. */
  url(path = '/'): string {
    return `ws://127.0.0.1:${this.port}${path}`;
  }

  /** Connects a client. Rejects with `HandshakeRefused` where the server answers with HTTP. */
  async connect(path = '/', options?: TestClientOptions): Promise<TestClient> {
    return this.connectTo(this.url(path), options);
  }

  /** Connects a client to any address, such as a proxy's; it is closed with the application. */
  async connectTo(url: string, options?: TestClientOptions): Promise<TestClient> {
    const client = await TestClient.connect(url, options);
    this.#clients.push(client);
    return client;
  }

  /** A proxy in front of the application that can misbehave; it is closed with it. */
  async proxy(): Promise<FaultProxy> {
    const proxy = await FaultProxy.start({ target: { port: this.port } });
    this.#proxies.push(proxy);
    return proxy;
  }

  /** Ends the clients, the proxies and the application. May be called twice. */
  async close(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.terminate();
    await Promise.all(this.#proxies.splice(0).map((proxy) => proxy.close()));
    await this.nest.close();
  }

  /** `await using app = ...` closes it at the end of the block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * Starts an application with gateways for a test.
 *
 * @example
 * ```ts
 * const app = await createChannelsTestApp({ providers: [ChatGateway] });
 * const client = await app.connect('/ws');
 * const ack = await client.subscribe('chat:lobby');
 * await app.close();
 * ```
 * @throws whatever refuses the start of the application
 * @publicApi
 */
export async function createChannelsTestApp(options: ChannelsTestAppOptions): Promise<ChannelsTestApp> {
  let builder = Test.createTestingModule({
    imports: [...(options.imports ?? []), ...channelsModule(options)],
    providers: options.providers ?? [],
  });
  if (options.clock) builder = builder.overrideProvider(CHANNELS_CLOCK).useValue(options.clock);
  if (options.override) builder = options.override(builder);
  const module = await builder.compile();
  const nest = options.httpAdapter
    ? module.createNestApplication(options.httpAdapter())
    : module.createNestApplication();
  try {
    await options.configure?.(nest);
    await nest.listen(0, '127.0.0.1');
  } catch (error) {
    await nest.close();
    throw error;
  }
  const { port } = (nest.getHttpServer() as { address(): AddressInfo }).address();
  return new ChannelsTestApp(nest, port);
}

function channelsModule({ imports = [], channels }: ChannelsTestAppOptions): DynamicModule[] {
  if (bringsChannels(imports, new Set())) return [];
  // A test that ends has no other node that its clients could go to.
  return [ChannelsModule.forRoot({ drainWindowMs: 0, ...channels })];
}

/** Whether a module, or one that it imports, is the `ChannelsModule`. */
function bringsChannels(imports: readonly unknown[], seen: Set<unknown>): boolean {
  return imports.some((imported) => {
    const module: unknown = isDynamic(imported) ? imported.module : imported;
    if (module === ChannelsModule) return true;
    if (typeof module !== 'function' || seen.has(module)) return false;
    seen.add(module);
    const own = (Reflect.getMetadata('imports', module) as unknown[] | undefined) ?? [];
    const added = isDynamic(imported) ? (imported.imports ?? []) : [];
    return bringsChannels([...own, ...added], seen);
  });
}

function isDynamic(imported: unknown): imported is DynamicModule {
  return typeof imported === 'object' && imported !== null && 'module' in imported;
}

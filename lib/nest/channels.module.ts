import {
  type DynamicModule,
  Inject,
  Logger,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import { JsonCodec } from '../codec/index.js';
import type { Broker } from '../core/broker.interface.js';
import type { Clock } from '../core/clock.interface.js';
import type { DedupStore } from '../core/dedup-store.interface.js';
import { Engine } from '../core/engine.js';
import { MemoryBroker } from '../core/memory-broker.js';
import { MemoryDedupStore } from '../core/memory-dedup-store.js';
import { MemoryPresenceStore } from '../core/memory-presence-store.js';
import { Observers } from '../core/observers.js';
import { resolveOptions, type ResolvedOptions } from '../core/options.js';
import type { Random } from '../core/random.interface.js';
import { ChannelsAdapter } from './channels.adapter.js';
import { AUTO_INSTALL, ConfigurableModuleClass, OPTIONS_TYPE } from './channels.module-definition.js';
import { ChannelsService } from './channels.service.js';
import type { ChannelsModuleExtras, ChannelsModuleOptions } from './channels-options.interface.js';
import { diagnosticsObserver } from './diagnostics.observer.js';
import { engineOptions } from './engine-options.js';
import { findStockGateways } from './gateway-explorer.js';
import { OriginGuard } from './guards/origin.guard.js';
import { HealthObserver } from './health.observer.js';
import { resolveLogOptions } from './log-options.js';
import { LoggingObserver } from './logging.observer.js';
import { NestErrorMapper } from './nest-error-mapper.js';
import { adviceOnNode } from './node-version.js';
import { hasSocketIo, SocketIoRefusal } from './socket-io-refusal.js';
import { SystemClock, SystemRandom } from './system-clock.js';
import { CHANNELS_BROKER, CHANNELS_CLOCK, CHANNELS_OPTIONS, CHANNELS_RANDOM } from './tokens.js';

function createEngine(
  options: ChannelsModuleOptions,
  clock: Clock,
  random: Random,
  broker: Broker,
  health: HealthObserver,
): Engine {
  const resolved = resolveOptions(engineOptions(options));
  const logging = new LoggingObserver(new Logger('Channels'), clock, resolveLogOptions(options));
  const observers = new Observers([logging, health, diagnosticsObserver(), ...(options.observers ?? [])]);
  const engine = new Engine({
    options: resolved,
    clock,
    random,
    broker,
    dedup: options.dedupStore ?? broker.dedupStore ?? createDedupStore(resolved, clock),
    presence: broker.presence ?? new MemoryPresenceStore({ clock }),
    observers,
    codec: new JsonCodec(resolved.maxNesting),
    errors: new NestErrorMapper(observers, random),
    plainAcks: options.plainAcks ?? true,
  });
  for (const definition of options.channels ?? []) engine.catalog.add(definition, 'the option "channels"');
  return engine;
}

function createDedupStore(options: ResolvedOptions, clock: Clock): DedupStore {
  const { maxDedupBytes: maxBytes, maxDedupBytesPerPrincipal: maxBytesPerPrincipal } = options;
  return new MemoryDedupStore({ clock, maxBytes, maxBytesPerPrincipal });
}

/** Each import is an instance of its own: what is published through one never reaches the clients of another. */
function checkImportedOnce(modules: ModulesContainer): void {
  const imports = [...modules.values()].filter(({ metatype }) => metatype === ChannelsModule).length;
  if (imports < 2) return;
  throw new TypeError(
    `ChannelsModule is imported ${imports} times, but an application has one: ` +
      'call forRoot() or forRootAsync() once, in the root module; it is global.',
  );
}

/**
 * Channels for the gateways of an application. Importing it is all: it installs the
 * {@link ChannelsAdapter}, and provides the {@link ChannelsService} everywhere.
 *
 * @example
 * ```ts
 * @Module({
 *   imports: [ChannelsModule.forRoot({ allowedOrigins: ['https://app.example.com'] })],
 *   providers: [ChatGateway],
 * })
 * export class AppModule {}
 * ```
 * @publicApi
 */
@Module({
  providers: [
    ChannelsAdapter,
    ChannelsService,
    HealthObserver,
    OriginGuard,
    { provide: CHANNELS_CLOCK, useClass: SystemClock },
    { provide: CHANNELS_RANDOM, useClass: SystemRandom },
    {
      provide: CHANNELS_BROKER,
      useFactory: (options: ChannelsModuleOptions, clock: Clock, random: Random) =>
        options.broker ?? new MemoryBroker({ clock, random, maxHistories: options.maxHistories }),
      inject: [CHANNELS_OPTIONS, CHANNELS_CLOCK, CHANNELS_RANDOM],
    },
    {
      provide: Engine,
      useFactory: createEngine,
      inject: [CHANNELS_OPTIONS, CHANNELS_CLOCK, CHANNELS_RANDOM, CHANNELS_BROKER, HealthObserver],
    },
  ],
  // The guard is for gateways of any module, and Nest constructs guards in the module that uses them.
  // The engine is for entries of this package that are modules of their own.
  exports: [ChannelsAdapter, ChannelsService, OriginGuard, CHANNELS_OPTIONS, CHANNELS_CLOCK, Engine],
})
export class ChannelsModule
  extends ConfigurableModuleClass
  implements OnModuleInit, OnApplicationBootstrap, OnModuleDestroy, OnApplicationShutdown
{
  /** Imported once, in the root module. Everything has a default, and the options are checked at once. */
  static override forRoot(options: typeof OPTIONS_TYPE = {}): DynamicModule {
    return super.forRoot(options);
  }

  /** @internal */
  constructor(
    private readonly adapter: ChannelsAdapter,
    private readonly engine: Engine,
    private readonly config: ApplicationConfig,
    @Inject(AUTO_INSTALL) private readonly autoInstall: ChannelsModuleExtras['autoInstall'],
    modules: ModulesContainer,
  ) {
    super();
    checkImportedOnce(modules);
    const advice = adviceOnNode(process.version);
    if (advice !== undefined) new Logger('Channels').warn(advice);
    if (!autoInstall || (config.getIoAdapter() as unknown)) return;
    const stock = autoInstall === true || !hasSocketIo() ? [] : findStockGateways(modules);
    config.setIoAdapter(stock.length > 0 ? new SocketIoRefusal(stock) : adapter);
  }

  /** Starts the engine, before any gateway is served. */
  async onModuleInit(): Promise<void> {
    await this.engine.start();
    const { nodes } = this.engine.hub.broker;
    // By this name the others tell of it where it does not answer.
    if (nodes) new Logger('Channels').log(`This node is ${nodes.id}`);
  }

  /** Lets peers in, or warns where another adapter has taken the place of ours. */
  async onApplicationBootstrap(): Promise<void> {
    if ((this.config.getIoAdapter() as unknown) !== this.adapter) {
      const how = 'app.useWebSocketAdapter(app.get(ChannelsAdapter))';
      const why = this.autoInstall ? 'another WebSocket adapter has replaced it' : 'autoInstall is off';
      new Logger('Channels').warn(`The ChannelsAdapter is not in use: ${why}. To use it: ${how}`);
      return;
    }
    await this.engine.register();
    await this.adapter.accept();
  }

  /** Lets running handlers finish and closes every connection with 1012. */
  async onModuleDestroy(): Promise<void> {
    await this.engine.shutdown();
  }

  /** @internal */
  onApplicationShutdown(): void {
    this.engine.observers.ended();
  }
}

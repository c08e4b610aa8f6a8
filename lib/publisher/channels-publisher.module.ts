import { Module, type DynamicModule, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Publisher } from '../core/publisher.js';
import { ChannelsPublisher } from './channels-publisher.js';
import {
  ConfigurableModuleClass,
  MODULE_OPTIONS_TOKEN,
  OPTIONS_TYPE,
} from './channels-publisher.module-definition.js';
import type { ChannelsPublisherModuleOptions } from './channels-publisher-options.interface.js';
import { PublisherProcess } from './publisher-process.js';

/**
 * Publishing for an application without gateways, and without a package for WebSockets. It provides the
 * {@link ChannelsPublisher} everywhere.
 *
 * @example
 * ```ts
 * @Module({
 *   imports: [ChannelsPublisherModule.forRoot({ broker: new RedisBroker('redis://localhost'), channels: [chat] })],
 *   providers: [NightlyReport],
 * })
 * export class WorkerModule {}
 * ```
 * @publicApi
 */
@Module({
  providers: [
    {
      provide: PublisherProcess,
      useFactory: (options: ChannelsPublisherModuleOptions) => new PublisherProcess(options),
      inject: [MODULE_OPTIONS_TOKEN],
    },
    {
      provide: Publisher,
      useFactory: ({ publisher }: PublisherProcess) => publisher,
      inject: [PublisherProcess],
    },
    ChannelsPublisher,
  ],
  exports: [ChannelsPublisher],
})
export class ChannelsPublisherModule
  extends ConfigurableModuleClass
  implements OnModuleInit, OnApplicationShutdown
{
  /** Imported once, in the root module. The options are checked at once. */
  static override forRoot(options: typeof OPTIONS_TYPE): DynamicModule {
    return super.forRoot(options);
  }

  /** @internal */
  constructor(private readonly process: PublisherProcess) {
    super();
  }

  /** Starts the broker, before providers that import this module begin. */
  async onModuleInit(): Promise<void> {
    await this.process.start();
  }

  /** The last hook of a shutdown: what others publish when they end still gets out. */
  async onApplicationShutdown(): Promise<void> {
    await this.process.close();
  }
}

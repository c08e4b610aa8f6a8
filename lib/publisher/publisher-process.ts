import { Logger } from '@nestjs/common';
import type { Broker, BrokerState } from '../core/broker.interface.js';
import { ChannelAgreement } from '../core/channel-agreement.js';
import { ChannelCatalog } from '../core/channel-catalog.js';
import type { Clock } from '../core/clock.interface.js';
import { ChannelsError } from '../core/errors.js';
import { Observers } from '../core/observers.js';
import { resolveOptions } from '../core/options.js';
import { Publisher } from '../core/publisher.js';
import type { Random } from '../core/random.interface.js';
import { LoggingObserver } from '../nest/logging.observer.js';
import { SystemClock, SystemRandom } from '../nest/system-clock.js';
import type { ChannelsPublisherModuleOptions } from './channels-publisher-options.interface.js';

/** What a process has that publishes and delivers nothing. */
export class PublisherProcess {
  readonly publisher: Publisher;
  readonly #broker: Broker;
  readonly #clock: Clock = new SystemClock();
  readonly #random: Random = new SystemRandom();
  readonly #observers: Observers;
  #state: BrokerState = 'ready';

  /** @throws TypeError where an option has no meaning */
  constructor(options: ChannelsPublisherModuleOptions) {
    const { broker, channels = [], maxMessageBytes, maxEventLength, maxNesting, observers = [] } = options;
    if (!(broker as Broker | undefined)) {
      throw new TypeError('ChannelsPublisherModule needs the option "broker": the way to the nodes.');
    }
    this.#broker = broker;
    this.#observers = new Observers([new LoggingObserver(new Logger('Channels'), this.#clock), ...observers]);
    const catalog = new ChannelCatalog();
    for (const definition of channels) catalog.add(definition, 'the option "channels"');
    const agreement = broker.registry && new ChannelAgreement(broker.registry, this.#clock);
    this.publisher = new Publisher({
      broker,
      catalog,
      clock: this.#clock,
      observers: this.#observers,
      limits: resolveOptions({ maxMessageBytes, maxEventLength, maxNesting }),
      agree: async (channel, history) => {
        this.#checkState();
        await agreement?.check(channel, history);
      },
    });
  }

  /** @throws where the broker does not start without what it needs */
  async start(): Promise<void> {
    const failed = (where: string, error: unknown): void => this.#observers.failed({ where, error });
    // Nobody here gets what is published.
    await this.#broker.start(() => undefined, {
      clock: this.#clock,
      random: this.#random,
      unsure: () => undefined,
      stateChanged: (state, reason) => {
        this.#state = state;
        this.#observers.brokerChanged(state, reason);
      },
      probed: (ms) => this.#observers.probed(ms),
      warn: (text) => this.#observers.warned(text),
      failed,
    });
    await this.#broker.registry?.start({ clock: this.#clock, failed });
  }

  async close(): Promise<void> {
    await this.#broker.registry?.close();
    await this.#broker.close();
    this.#observers.stopped();
    this.#observers.ended();
  }

  /** A node goes on with its own subscribers while its broker is away; here there are none. */
  #checkState(): void {
    if (this.#state !== 'away') return;
    throw new ChannelsError('unavailable', 'the broker is away, and nobody is reached without it');
  }
}

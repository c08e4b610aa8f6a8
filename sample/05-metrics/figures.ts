import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { ChannelsService } from 'nestjs-channels';
import { register } from 'prom-client';
import { figures } from './figures.channel.js';

const EVERY_MS = 1_000;
const MIB = 1_048_576;

/** Publishes once a second what Prometheus would be told, for pages that nobody has to reload. */
@Injectable()
export class Figures implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly log = new Logger('Figures');
  private timer?: NodeJS.Timeout;
  private sentBefore = 0;

  constructor(private readonly channels: ChannelsService) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.tell(), EVERY_MS);
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  private async tell(): Promise<void> {
    try {
      await this.channels.publish(figures.name({}), 'figures', await this.read());
    } catch (error) {
      this.log.warn(error);
    }
  }

  private async read(): Promise<Record<string, number>> {
    // All at once: prom-client sets the p99 of the delay where it collects another metric of the event loop.
    const metrics = await register.getMetricsAsJSON();
    const total = (metric: string): number => sum(metrics.find(({ name }) => name === metric)?.values);
    const sent = total('channels_messages_sent_total');
    const sentPerSecond = sent - this.sentBefore;
    this.sentBefore = sent;
    return {
      connections: total('channels_connections'),
      sentPerSecond,
      memoryMiB: total('process_resident_memory_bytes') / MIB,
      loopLagMs: total('nodejs_eventloop_lag_p99_seconds') * 1_000,
    };
  }
}

/** Over all labels. */
function sum(values: readonly { readonly value: number }[] = []): number {
  return values.reduce((all, { value }) => all + value, 0);
}

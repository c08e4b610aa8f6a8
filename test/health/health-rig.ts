import { Controller, Get, Module } from '@nestjs/common';
import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import type { BrokerNode, BrokerState, PublicationSink } from 'nestjs-channels';
import { ChannelsHealthIndicator } from 'nestjs-channels/health';
import type { ChannelsTestApp, ChannelsTestAppOptions } from 'nestjs-channels/testing';
import { MemoryBroker } from '../../lib/core/memory-broker.js';
import { seededRandom } from '../core/engine-rig.js';
import { startApp } from '../support/start-app.js';
import { LateClock } from './late-clock.js';

@Controller('health')
class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly channels: ChannelsHealthIndicator,
  ) {}

  @Get()
  @HealthCheck()
  ready() {
    return this.health.check([() => this.channels.isReady('channels')]);
  }

  @Get('live')
  @HealthCheck()
  live() {
    return this.health.check([() => this.channels.isLive('channels')]);
  }
}

@Module({
  imports: [TerminusModule.forRoot({ logger: false })],
  controllers: [HealthController],
  providers: [ChannelsHealthIndicator],
})
export class HealthModule {}

/** What a balancer sees. */
export interface Health {
  readonly status: number;
  readonly channels: Readonly<Record<string, unknown>>;
}

/** Asks as a balancer does. */
export async function ask({ port }: { readonly port: number }, path = '/health'): Promise<Health> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  const { details } = (await response.json()) as { details: { channels: Health['channels'] } };
  return { status: response.status, channels: details.channels };
}

/** A broker that is as the test says. */
export class MoodyBroker extends MemoryBroker {
  #node?: BrokerNode;

  constructor() {
    super({ clock: new LateClock(), random: seededRandom(7) });
  }

  override start(sink: PublicationSink, node?: BrokerNode): void {
    super.start(sink);
    this.#node = node;
  }

  turn(state: BrokerState, reason: string): void {
    this.#node?.stateChanged(state, reason);
  }
}

/** A node with its health at `/health` and `/health/live`, whose time and broker the test has in its hand. */
export async function startHealthy(
  options: Omit<ChannelsTestAppOptions, 'imports' | 'clock'> = {},
): Promise<{ app: ChannelsTestApp; clock: LateClock; broker: MoodyBroker }> {
  const [clock, broker] = [new LateClock(), new MoodyBroker()];
  const app = await startApp({ imports: [HealthModule], clock, channels: { broker }, ...options });
  return { app, clock, broker };
}

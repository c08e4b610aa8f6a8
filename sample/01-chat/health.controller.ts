import { Controller, Get } from '@nestjs/common';
import { HealthCheck, HealthCheckService, type HealthCheckResult } from '@nestjs/terminus';
import { ChannelsHealthIndicator } from 'nestjs-channels/health';

@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly channels: ChannelsHealthIndicator,
  ) {}

  /** For a balancer: red while nobody new should come here. */
  @Get()
  @HealthCheck()
  ready(): Promise<HealthCheckResult> {
    return this.health.check([() => this.channels.isReady('channels')]);
  }

  /** For whoever starts the process again: red where only that helps. */
  @Get('live')
  @HealthCheck()
  live(): Promise<HealthCheckResult> {
    return this.health.check([() => this.channels.isLive('channels')]);
  }
}

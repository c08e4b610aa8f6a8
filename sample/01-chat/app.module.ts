import { Module, ValidationPipe } from '@nestjs/common';
import { APP_PIPE } from '@nestjs/core';
import { JwtModule } from '@nestjs/jwt';
import { TerminusModule } from '@nestjs/terminus';
import { ChannelsModule } from 'nestjs-channels';
import { ChannelsHealthIndicator } from 'nestjs-channels/health';
import { ChannelsMetrics } from 'nestjs-channels/metrics';
import { ChannelsInspectorModule } from 'nestjs-channels/inspector';
import { RedisBroker } from 'nestjs-channels/redis';
import { ChatGateway } from './chat.gateway.js';
import { HealthController } from './health.controller.js';
import { JwtGuard } from './jwt.guard.js';
import { jwtSecret } from './jwt-secret.js';
import { LoginController } from './login.controller.js';
import { MetricsController } from './metrics.controller.js';
import { ThisMachineGuard } from './this-machine.guard.js';

// Unset, only pages of the server's own host may connect.
const origins = (process.env['ALLOWED_ORIGINS'] ?? '').split(',').map((origin) => origin.trim());
const allowedOrigins = origins.filter((origin) => origin !== '');

// Unset, this process is the only one.
const redisUrl = process.env['REDIS_URL'];

// At /inspector, for a look at what the chat does; in production somebody has to say who may look.
const inspector =
  process.env['NODE_ENV'] === 'production'
    ? []
    : [ChannelsInspectorModule.forRoot({ guards: [ThisMachineGuard] })];

@Module({
  imports: [
    ...inspector,
    ChannelsModule.forRoot({
      allowedOrigins: allowedOrigins.length > 0 ? allowedOrigins : undefined,
      broker: redisUrl ? new RedisBroker(redisUrl) : undefined,
      observers: [new ChannelsMetrics()],
    }),
    JwtModule.registerAsync({
      useFactory: () => ({ secret: jwtSecret(), signOptions: { expiresIn: '12h' } }),
    }),
    TerminusModule,
  ],
  controllers: [HealthController, LoginController, MetricsController],
  providers: [
    ChannelsHealthIndicator,
    ChatGateway,
    JwtGuard,
    { provide: APP_PIPE, useValue: new ValidationPipe({ transform: true }) },
  ],
})
export class AppModule {}

import 'reflect-metadata';
import { Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Transport, type MicroserviceOptions } from '@nestjs/microservices';
import { ChannelsPublisherModule } from 'nestjs-channels/publisher';
import { RedisBroker } from 'nestjs-channels/redis';
import { lots } from './lots.channel.js';
import { LotsController } from './lots.controller.js';

const redisUrl = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379';
const port = Number(process.env['BUSINESS_PORT'] ?? 3001);

@Module({
  imports: [ChannelsPublisherModule.forRoot({ broker: new RedisBroker(redisUrl), channels: [lots] })],
  controllers: [LotsController],
})
class BusinessModule {}

const app = await NestFactory.createMicroservice<MicroserviceOptions>(BusinessModule, {
  transport: Transport.TCP,
  options: { host: '127.0.0.1', port },
});
app.enableShutdownHooks([], { useProcessExit: true });
await app.listen();
new Logger('Business').log(`Takes bids on port ${port}.`);

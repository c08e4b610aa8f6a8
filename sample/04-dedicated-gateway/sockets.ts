import 'reflect-metadata';
import { Logger, Module, ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientsModule, Transport } from '@nestjs/microservices';
import { ChannelsModule } from 'nestjs-channels';
import { RedisBroker } from 'nestjs-channels/redis';
import { BUSINESS } from './business.token.js';
import { LotsGateway } from './lots.gateway.js';
import { NameGuard } from './name.guard.js';

const redisUrl = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379';
const businessPort = Number(process.env['BUSINESS_PORT'] ?? 3001);

@Module({
  imports: [
    ChannelsModule.forRoot({ broker: new RedisBroker(redisUrl) }),
    ClientsModule.register([
      { name: BUSINESS, transport: Transport.TCP, options: { host: '127.0.0.1', port: businessPort } },
    ]),
  ],
  providers: [LotsGateway, NameGuard],
})
class SocketsModule {}

const app = await NestFactory.create(SocketsModule);
app.useGlobalPipes(new ValidationPipe({ transform: true }));
app.enableShutdownHooks([], { useProcessExit: true });
await app.listen(Number(process.env['PORT'] ?? 3000), '127.0.0.1');
const address = (await app.getUrl()).replace('http', 'ws');
new Logger('Sockets').log(`Takes connections at ${address}/ws; there is no page.`);

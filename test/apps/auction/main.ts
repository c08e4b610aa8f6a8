// The server of sample/02-orders with a fault that FAULT names. DATABASE is the file of its bids.
import 'reflect-metadata';
import { Module, ShutdownSignal, ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ChannelsModule, ChannelsService } from 'nestjs-channels';
import { AuctionGateway } from '../../../sample/02-orders/auction.gateway.js';
import { Bids } from '../../../sample/02-orders/bids.js';
import { Database } from '../../../sample/02-orders/database.js';
import { NameGuard } from '../../../sample/02-orders/name.guard.js';
import { FaultyDatabase, infest } from './faults.js';

const handlerTimeoutMs = Number(process.env['HANDLER_TIMEOUT_MS'] ?? 30_000);

@Module({
  imports: [ChannelsModule.forRoot({ handlerTimeoutMs })],
  providers: [AuctionGateway, Bids, NameGuard, { provide: Database, useClass: FaultyDatabase }],
})
class FaultyModule {}

const app = await NestFactory.create(FaultyModule);
app.useGlobalPipes(new ValidationPipe({ transform: true }));
infest(app.get(ChannelsService));
// Not at SIGUSR2, which ends a fault.
app.enableShutdownHooks([ShutdownSignal.SIGTERM], { useProcessExit: true });
await app.listen(Number(process.env['PORT']), '127.0.0.1');
process.stdout.write(`Open ${await app.getUrl()}\n`);

import { Module, ValidationPipe } from '@nestjs/common';
import { APP_PIPE } from '@nestjs/core';
import { ChannelsModule } from 'nestjs-channels';
import { AuctionGateway } from './auction.gateway.js';
import { Bids } from './bids.js';
import { Database } from './database.js';
import { LineController } from './line.controller.js';
import { Lines } from './lines.js';
import { NameGuard } from './name.guard.js';

@Module({
  imports: [ChannelsModule.forRoot()],
  controllers: [LineController],
  providers: [
    AuctionGateway,
    Bids,
    Database,
    Lines,
    NameGuard,
    { provide: APP_PIPE, useValue: new ValidationPipe({ transform: true }) },
  ],
})
export class AppModule {}

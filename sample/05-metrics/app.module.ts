import { Module } from '@nestjs/common';
import { ChannelsModule } from 'nestjs-channels';
import { ChannelsMetrics } from 'nestjs-channels/metrics';
import { Figures } from './figures.js';
import { FiguresGateway } from './figures.gateway.js';

@Module({
  imports: [ChannelsModule.forRoot({ observers: [new ChannelsMetrics()] })],
  providers: [Figures, FiguresGateway],
})
export class AppModule {}

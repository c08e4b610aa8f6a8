import { Module } from '@nestjs/common';
import { ChannelsModule } from 'nestjs-channels';
import { GreetingGateway } from './greeting.gateway.js';
import { PageController } from './page.controller.js';

@Module({
  imports: [ChannelsModule.forRoot()],
  controllers: [PageController],
  providers: [GreetingGateway],
})
export class AppModule {}

import { Module } from '@nestjs/common';
import { ChannelsModule } from 'nestjs-channels';
import { ChatGateway } from './chat.gateway.js';
import { PageController } from './page.controller.js';

@Module({
  imports: [ChannelsModule.forRoot({})],
  controllers: [PageController],
  providers: [ChatGateway],
})
export class AppModule {}

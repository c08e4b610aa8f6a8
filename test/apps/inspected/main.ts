// One of several nodes with an inspector, behind the Redis of REDIS_URL.
import 'reflect-metadata';
import { Injectable, Module, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { ChannelsModule, SubscribeChannel, UseHandshakeGuards } from 'nestjs-channels';
import { ChannelsInspectorModule } from 'nestjs-channels/inspector';
import { RedisBroker } from 'nestjs-channels/redis';

@Injectable()
class UserGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<{ url: string; user?: unknown }>();
    const id = request.url.split('user=')[1];
    if (id !== undefined) request.user = { id };
    return true;
  }
}

@WebSocketGateway({ path: '/ws' })
@UseHandshakeGuards(UserGuard)
class RoomGateway {
  @SubscribeChannel('chat:{room}')
  join(): void {}

  @SubscribeMessage('echo')
  echo(@MessageBody() data: unknown): unknown {
    return data;
  }
}

const broker = new RedisBroker({ connection: process.env['REDIS_URL'] as string });

@Module({
  imports: [ChannelsModule.forRoot({ broker }), ChannelsInspectorModule.forRoot()],
  providers: [RoomGateway, UserGuard],
})
class NodeModule {}

const app = await NestFactory.create(NodeModule, { logger: ['error'] });
await app.listen(0, '127.0.0.1');
process.stdout.write(`node ${broker.nodes.id}\n`);
process.stdout.write(`listening ${new URL(await app.getUrl()).port}\n`);

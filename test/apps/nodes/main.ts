// One of several nodes behind the Redis of REDIS_URL, under the prefix PREFIX.
import 'reflect-metadata';
import { Injectable, Module, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import {
  ChannelsModule,
  ChannelsService,
  SubscribeChannel,
  UseHandshakeGuards,
  type ConnectionFilter,
} from 'nestjs-channels';
import { RedisBroker } from 'nestjs-channels/redis';

@Injectable()
class UserGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<{ url: string; user?: unknown }>();
    const id = request.url.split('user=')[1] ?? '';
    request.user = { id, tenant: 'acme' };
    return true;
  }
}

@WebSocketGateway({ path: '/ws' })
@UseHandshakeGuards(UserGuard)
class ControlGateway {
  constructor(private readonly channels: ChannelsService) {}

  @SubscribeChannel('chat:{room}')
  join(): void {}

  @SubscribeMessage('connections')
  connections(@MessageBody() filter: ConnectionFilter): Promise<unknown> {
    return this.channels.connections(filter);
  }

  /** With how long it took, in milliseconds. */
  @SubscribeMessage('disconnect')
  async disconnect(@MessageBody() filter: ConnectionFilter): Promise<unknown> {
    const startedAt = performance.now();
    const answer = await this.channels.disconnect(filter);
    return { ...answer, ms: performance.now() - startedAt };
  }
}

const broker = new RedisBroker({
  connection: process.env['REDIS_URL'] as string,
  prefix: process.env['PREFIX'],
});

@Module({ imports: [ChannelsModule.forRoot({ broker })], providers: [ControlGateway, UserGuard] })
class NodeModule {}

const app = await NestFactory.create(NodeModule, { logger: ['warn', 'error'] });
await app.listen(0, '127.0.0.1');
process.stdout.write(`node ${broker.nodes.id}\n`);
process.stdout.write(`listening ${new URL(await app.getUrl()).port}\n`);

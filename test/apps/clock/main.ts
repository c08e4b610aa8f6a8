// A server whose clock a test steps: heartbeats so short that a step would show at once, everything else as it
// stands by default.
import 'reflect-metadata';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { JwtModule, JwtService } from '@nestjs/jwt';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import {
  Acked,
  ChannelsModule,
  ChannelsService,
  SubscribeChannel,
  TokenHandshakeGuard,
  UseHandshakeGuards,
} from 'nestjs-channels';

@Injectable()
class JwtGuard extends TokenHandshakeGuard {
  constructor(private readonly jwt: JwtService) {
    super();
  }

  authenticate(token: string): Promise<object> {
    return this.jwt.verifyAsync(token);
  }
}

@WebSocketGateway({ path: '/ws' })
@UseHandshakeGuards(JwtGuard)
class ClockGateway {
  #effects = 0;
  #release: (() => void) | undefined;

  constructor(private readonly channels: ChannelsService) {}

  /** The wall clock, as this process sees it. */
  @SubscribeMessage('time')
  time(): number {
    return Date.now();
  }

  /** How often this has run. */
  @SubscribeMessage('effect')
  @Acked()
  effect(): number {
    this.#effects += 1;
    return this.#effects;
  }

  /** Runs until it is released. */
  @SubscribeMessage('hold')
  @Acked()
  async hold(): Promise<string> {
    await new Promise<void>((resolve) => {
      this.#release = resolve;
    });
    return 'released';
  }

  @SubscribeMessage('release')
  release(): void {
    this.#release?.();
  }

  @SubscribeMessage('publish')
  publish(@MessageBody() text: string): Promise<void> {
    return this.channels.publish('news:all', 'item', text);
  }

  @SubscribeChannel('news:{topic}', { history: true })
  join(): void {}
}

const HEARTBEAT = { heartbeatIntervalMs: 300, heartbeatTimeoutMs: 1_500, clientTimeoutMs: 3_000 };

@Module({
  imports: [JwtModule.register({ secret: process.env['SECRET'] }), ChannelsModule.forRoot(HEARTBEAT)],
  providers: [ClockGateway, JwtGuard],
})
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: false });
await app.listen(0, '127.0.0.1');
process.stdout.write(`listening ${new URL(await app.getUrl()).port}\n`);

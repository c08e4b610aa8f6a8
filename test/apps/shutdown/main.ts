import 'reflect-metadata';
import { setTimeout as delay } from 'node:timers/promises';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { ChannelsModule, SubscribeChannel, UnsubscribeChannel } from 'nestjs-channels';

/** How long a handler and a `handleDisconnect` take. */
const WORK_MS = 1_000;
const DISCONNECT_MS = 100;

const NEVER = new Promise<never>(() => undefined);

/** Says on stdout what happens, one word a line. */
function say(word: string): void {
  process.stdout.write(`${word}\n`);
}

@WebSocketGateway({ path: '/ws' })
class WorkGateway {
  #hangs = false;

  @SubscribeMessage('echo')
  echo(): string {
    return 'echo';
  }

  @SubscribeMessage('work')
  async work(): Promise<string> {
    say('working');
    await delay(WORK_MS);
    return 'done';
  }

  /** Never ends, and lets no `handleDisconnect` end from now on. */
  @SubscribeMessage('hang')
  async hang(): Promise<void> {
    say('hanging');
    this.#hangs = true;
    await NEVER;
  }

  @SubscribeChannel('room:{name}')
  join(): void {}

  @UnsubscribeChannel('room:{name}')
  leave(): void {
    say('left');
  }

  async handleDisconnect(): Promise<void> {
    await delay(DISCONNECT_MS);
    if (this.#hangs) await NEVER;
    say('disconnected');
  }
}

@Module({ imports: [ChannelsModule.forRoot({})], providers: [WorkGateway] })
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: false });
app.enableShutdownHooks([], { useProcessExit: true });
await app.listen(0, '127.0.0.1');
say(`listening ${new URL(await app.getUrl()).port}`);

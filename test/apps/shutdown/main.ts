import 'reflect-metadata';
import { writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { ChannelsModule, SubscribeChannel, UnsubscribeChannel } from 'nestjs-channels';

/** How long a handler and a `handleDisconnect` take. */
const WORK_MS = 1_000;
const DISCONNECT_MS = 100;

const NEVER = new Promise<never>(() => undefined);

const done = { disconnected: 0, left: 0 };

function say(line: string): void {
  process.stdout.write(`${line}\n`);
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
    done.left += 1;
  }

  async handleDisconnect(): Promise<void> {
    await delay(DISCONNECT_MS);
    if (this.#hangs) await NEVER;
    done.disconnected += 1;
  }
}

// By hand and at once: what a process has queued for its stdout is lost when it exits.
process.on('exit', () => writeSync(1, `disconnected ${done.disconnected}\nleft ${done.left}\n`));

const { DRAIN_WINDOW_MS } = process.env;
const options = DRAIN_WINDOW_MS === undefined ? {} : { drainWindowMs: Number(DRAIN_WINDOW_MS) };

@Module({ imports: [ChannelsModule.forRoot(options)], providers: [WorkGateway] })
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: false });
app.enableShutdownHooks([], { useProcessExit: true });
await app.listen(0, '127.0.0.1');
say(`listening ${new URL(await app.getUrl()).port}`);

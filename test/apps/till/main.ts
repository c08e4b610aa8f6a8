// A node whose handler has its effect in the folder TILL: a payment is a file that is made once, for its name is the
// id of the message. HANG lets it hang behind the effect. REDIS_URL makes it one of several nodes.
import 'reflect-metadata';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { Acked, ChannelsModule, MessageId } from 'nestjs-channels';
import { RedisBroker } from 'nestjs-channels/redis';

const { TILL: folder = '.', REDIS_URL: redis, HANG: hangs, DEDUP_WINDOW_MS: window } = process.env;

@WebSocketGateway({ path: '/ws' })
class TillGateway {
  @SubscribeMessage('pay')
  @Acked()
  async pay(@MessageBody() amount: number, @MessageId() id: string): Promise<unknown> {
    appendFileSync(join(folder, 'runs'), `${process.pid}\n`);
    const receipt = this.#book(id, JSON.stringify({ amount, by: process.pid }));
    if (hangs) {
      process.stdout.write('A handler hangs.\n');
      await new Promise(() => undefined);
    }
    return JSON.parse(receipt);
  }

  /** As a table with a unique key does it: the second run finds what the first has made. */
  #book(id: string, receipt: string): string {
    const path = join(folder, `payment-${id}`);
    try {
      writeFileSync(path, receipt, { flag: 'wx' });
      return receipt;
    } catch {
      return readFileSync(path, 'utf8');
    }
  }
}

@Module({
  imports: [
    ChannelsModule.forRoot({
      ...(redis && { broker: new RedisBroker(redis) }),
      ...(window && { dedupWindowMs: Number(window) }),
    }),
  ],
  providers: [TillGateway],
})
class TillModule {}

const app = await NestFactory.create(TillModule);
app.enableShutdownHooks([], { useProcessExit: true });
await app.listen(Number(process.env['PORT']), '127.0.0.1');
process.stdout.write(`Open ${await app.getUrl()}\n`);

// A handler whose effect is in no transaction with the id of its message: a line in the file EFFECTS.
import 'reflect-metadata';
import { appendFileSync } from 'node:fs';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { Acked, ChannelsModule } from 'nestjs-channels';

@WebSocketGateway({ path: '/ws' })
class TillGateway {
  @SubscribeMessage('pay')
  @Acked()
  pay(@MessageBody() amount: number): string {
    appendFileSync(process.env['EFFECTS'] ?? '', `${amount}\n`);
    if (process.env['FAULT'] === 'kill after') process.kill(process.pid, 'SIGKILL');
    return 'paid';
  }
}

@Module({ imports: [ChannelsModule.forRoot()], providers: [TillGateway] })
class TillModule {}

const app = await NestFactory.create(TillModule);
app.enableShutdownHooks([], { useProcessExit: true });
await app.listen(Number(process.env['PORT']), '127.0.0.1');
process.stdout.write(`Open ${await app.getUrl()}\n`);

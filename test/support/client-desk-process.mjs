// A server that writes down what it is told on its stdout, for `client-restart.spec.ts`: `<port>`, 0 for a free one.
// Without decorators, so that Node runs it as it stands.
import 'reflect-metadata';
import { writeSync } from 'node:fs';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { ChannelsModule } from 'nestjs-channels';

// At once: what a killed process has queued is lost.
const write = (word, value) => writeSync(1, `${JSON.stringify([word, value])}\n`);

class DeskGateway {
  say(text) {
    write('said', text);
    return `heard ${text}`;
  }

  /** Is read, and never answered by this process. */
  ponder(text) {
    write('pondered', text);
    return process.argv[3] === 'answers' ? `thought about ${text}` : new Promise(() => undefined);
  }
}

for (const event of ['say', 'ponder']) {
  const descriptor = Object.getOwnPropertyDescriptor(DeskGateway.prototype, event);
  SubscribeMessage(event)(DeskGateway.prototype, event, descriptor);
  MessageBody()(DeskGateway.prototype, event, 0);
}
WebSocketGateway({ path: '/ws' })(DeskGateway);

class AppModule {}
const imports = [ChannelsModule.forRoot({ shutdownTimeoutMs: 200 })];
Module({ imports, providers: [DeskGateway] })(AppModule);

const app = await NestFactory.create(AppModule, { logger: false });
app.enableShutdownHooks();
await app.listen(Number(process.argv[2]), '127.0.0.1');
write('listening', Number(new URL(await app.getUrl()).port));

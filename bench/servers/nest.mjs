// What the Nest servers of the benches share. Plain JavaScript: decorators are applied by hand.
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { report } from './report.mjs';

export function decorateMethod(target, name, decorator) {
  decorator(target.prototype, name, Object.getOwnPropertyDescriptor(target.prototype, name));
}

export function decorateParam(target, name, index, decorator) {
  decorator(target.prototype, name, index);
}

/** Adds the handlers that every variant has, and makes the class a gateway on `/ws`. */
export function gateway(target, acked = () => {}) {
  for (const event of ['echo', 'acked']) {
    Object.defineProperty(target.prototype, event, {
      value(data) {
        return { event, data };
      },
    });
    decorateMethod(target, event, SubscribeMessage(event));
    decorateParam(target, event, 0, MessageBody());
  }
  decorateMethod(target, 'acked', acked);
  WebSocketGateway({ path: '/ws' })(target);
  return target;
}

export async function serveNest(metadata, configure = () => {}) {
  class AppModule {}
  Module(metadata)(AppModule);
  const app = await NestFactory.create(AppModule, { logger: false });
  configure(app);
  await app.listen(0, '127.0.0.1');
  report(app.getHttpServer());
  return app;
}

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

/** Connections that may wait to be accepted: those of a whole crowd that comes back at once. */
const BACKLOG = 4_096;

export async function serveNest(metadata, configure = () => {}, port = 0) {
  class AppModule {}
  Module(metadata)(AppModule);
  const app = await NestFactory.create(AppModule, { logger: false });
  await configure(app);
  await app.listen(port, '127.0.0.1', BACKLOG);
  report(app.getHttpServer());
  return app;
}

/** Publishes what the bench orders. */
export function publishOn(channels) {
  process.on('message', ({ type, perTurn, turns, data }) => {
    if (type !== 'publish') return;
    const turn = (left) => {
      for (let at = 0; at < perTurn; at++) void channels.publish('room:1', 'message', data);
      if (left > 1) setImmediate(turn, left - 1);
    };
    turn(turns);
  });
}

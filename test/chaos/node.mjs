// A server of the chaos: `<url of the package> <host> <port> <name of its life> <settings>`. Its broker is that of its parent, and what its
// handlers do is written down there before they answer. Without decorators, so that Node runs it as it stands.
import 'reflect-metadata';
import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { ParentBroker } from './parent-broker.mjs';

const [packageUrl, host, port, life, settings] = process.argv.slice(2);
const { Acked, ChannelName, ChannelsModule, ChannelsService, SubscribeChannel } = await import(
  new URL('index.js', packageUrl)
);

/** Messages of one client that arrive together are still to run one after the other. */
const MAX_WORK_MS = 20;

const broker = new ParentBroker();

class ChaosGateway {
  constructor(channels) {
    this.channels = channels;
  }

  async put({ client, n }) {
    await delay(Math.random() * MAX_WORK_MS);
    await broker.ask('effect', [client, n, life]);
    return { n, life };
  }

  /** The state of a channel is its newest publication. */
  async join(channel) {
    const { publications } = await this.channels.history(channel, { limit: 1, reverse: true });
    return publications[0]?.data;
  }
}

function decorate(method, ...decorators) {
  const descriptor = Object.getOwnPropertyDescriptor(ChaosGateway.prototype, method);
  for (const decorator of decorators) decorator(ChaosGateway.prototype, method, descriptor);
}

Inject(ChannelsService)(ChaosGateway, undefined, 0);
decorate('put', SubscribeMessage('put'), Acked());
MessageBody()(ChaosGateway.prototype, 'put', 0);
for (const [pattern, size] of Object.entries(JSON.parse(settings).histories)) {
  const method = `join ${pattern}`;
  Object.defineProperty(ChaosGateway.prototype, method, {
    value(channel) {
      return this.join(channel);
    },
    configurable: true,
    writable: true,
  });
  decorate(method, SubscribeChannel(pattern, { history: { size } }));
  ChannelName()(ChaosGateway.prototype, method, 0);
}
WebSocketGateway({ path: '/ws' })(ChaosGateway);

class AppModule {}
const observers = [
  { closed: (_connection, code) => process.send({ type: 'closed', code }, () => undefined) },
];
const imports = [ChannelsModule.forRoot({ ...JSON.parse(settings).options, broker, observers })];
Module({ imports, providers: [ChaosGateway] })(AppModule);

// Without it a connection that has not sent a byte, as behind a black hole, keeps an HTTP server from closing.
const app = await NestFactory.create(AppModule, { logger: false, forceCloseConnections: true });
app.enableShutdownHooks([], { useProcessExit: true });
const channels = app.get(ChannelsService);
broker.onPublish = (channel, data) => {
  // What a node that shuts down cannot publish has not been accepted, and nobody waits for it.
  channels.publish(channel, 'item', data).catch(() => undefined);
};
// Whoever has started this process has ended without ending it.
process.on('disconnect', () => process.exit());
await app.listen(Number(port), host);
process.send({ type: 'listening', port: Number(new URL(await app.getUrl()).port) });

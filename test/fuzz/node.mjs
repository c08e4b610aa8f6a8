// The server of the fuzzing, a real application: `<url of the package> <bug>`. Tells its parent what reaches the
// process. Without decorators, so that Node runs it as it stands.
import 'reflect-metadata';
import { BadRequestException, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';

const [packageUrl, bug] = process.argv.slice(2);
const { Acked, ChannelsModule, ChannelsService, defineChannel, SubscribeChannel } = await import(
  new URL('index.js', packageUrl)
);

const tell = (message) => process.connected && process.send(message, () => undefined);
for (const event of ['uncaughtException', 'unhandledRejection']) {
  process.on(event, (error) => tell({ type: 'fault', text: `${event}: ${error?.stack ?? error}` }));
}

/** Faults of each connection that it has not asked for yet. */
const faults = new Map();
const observer = {
  opened: ({ id }) => faults.set(id, []),
  faulted: ({ id }, kind) => faults.get(id)?.push(kind),
  closed: ({ id }) => faults.delete(id),
  failed: ({ where, error }) => {
    if (error?.message !== 'as asked for')
      tell({ type: 'fault', text: `${where}: ${error?.stack ?? error}` });
  },
};

class FuzzGateway {
  echo(data) {
    return { event: 'echoed', data };
  }

  strict(data) {
    // On purpose, where the fuzzing is to find it.
    if (bug === 'handler' && typeof data !== 'object') void Promise.reject(new Error('a planted bug'));
    if (typeof data?.name === 'string' && Number.isInteger(data.age)) return data.name;
    throw new BadRequestException(['name must be a string', 'age must be an integer']);
  }

  async order(data) {
    return { ordered: data };
  }

  fails() {
    throw new Error('as asked for');
  }

  facts(client) {
    return { faults: faults.get(client.id)?.splice(0), polluted: 'isAdmin' in {} };
  }

  join() {
    return 'joined';
  }

  joinPast() {
    return 'joined';
  }
}

function decorate(method, ...decorators) {
  const descriptor = Object.getOwnPropertyDescriptor(FuzzGateway.prototype, method);
  for (const decorator of decorators) decorator(FuzzGateway.prototype, method, descriptor);
}

decorate('echo', SubscribeMessage('echo'));
decorate('strict', SubscribeMessage('strict'));
decorate('order', SubscribeMessage('order'), Acked());
decorate('fails', SubscribeMessage('fails'));
decorate('facts', SubscribeMessage('facts'));
decorate('join', SubscribeChannel('room:{id}', { presence: true }));
decorate('joinPast', SubscribeChannel(defineChannel('past:{id}', { history: true })));
for (const method of ['echo', 'strict', 'order']) MessageBody()(FuzzGateway.prototype, method, 0);
ConnectedSocket()(FuzzGateway.prototype, 'facts', 0);
WebSocketGateway({ path: '/ws' })(FuzzGateway);

/** Takes messages of a MiB. */
class BigGateway {}
WebSocketGateway({ path: '/big', maxPayload: 2 ** 20 })(BigGateway);

class AppModule {}
Module({
  imports: [ChannelsModule.forRoot({ observers: [observer], compression: {} })],
  providers: [FuzzGateway, BigGateway],
})(AppModule);

const app = await NestFactory.create(AppModule, { logger: false, forceCloseConnections: true });
const channels = app.get(ChannelsService);
process.on('disconnect', () => process.exit());
process.on('message', async () => {
  const { connections } = await channels.connections();
  tell({ type: 'counted', connections: connections.length, rssMb: process.memoryUsage().rss / 2 ** 20 });
});
await app.listen(0, '127.0.0.1');
tell({ type: 'listening', port: Number(new URL(await app.getUrl()).port) });

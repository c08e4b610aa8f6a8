// A node of bench/deploys.mjs. Argument: JSON with the url of a Redis, a port, and options of the library. Ready as long
// as it takes anybody on; SIGTERM drains it.
import { ConnectedSocket, MessageBody, SubscribeMessage } from '@nestjs/websockets';
import {
  Acked,
  ChannelsModule,
  ChannelsService,
  defineChannel,
  MessageId,
  SubscribeChannel,
} from 'nestjs-channels';
import { RedisBroker } from 'nestjs-channels/redis';
import { decorateMethod, decorateParam, gateway, serveNest } from './nest.mjs';

const { redis, port, ...options } = JSON.parse(process.argv[2]);
let isReady = true;
let report;

class DeployGateway {
  join() {}

  async say({ room }, messageId, client) {
    const id = `${client.principal} ${messageId}`;
    // Without a key: an effect that is made twice is seen twice.
    await channels.publish(`room:${room}`, 'said', { id });
    return id;
  }
}
decorateMethod(DeployGateway, 'join', SubscribeChannel(defineChannel('room:{name}', { history: true })));
decorateMethod(DeployGateway, 'say', SubscribeMessage('say'));
decorateMethod(DeployGateway, 'say', Acked());
decorateParam(DeployGateway, 'say', 0, MessageBody());
decorateParam(DeployGateway, 'say', 1, MessageId());
decorateParam(DeployGateway, 'say', 2, ConnectedSocket());

const app = await serveNest(
  {
    imports: [
      ChannelsModule.forRoot({
        allowedOrigins: '*',
        broker: new RedisBroker(redis),
        session: ({ url }) => ({ principal: new URL(url, 'ws://here').searchParams.get('user') }),
        observers: [
          { draining: () => (isReady = false), drained: (told) => (report = told) },
          { stopped: () => process.send({ type: 'stopped', report }) },
        ],
        ...options,
      }),
    ],
    providers: [gateway(DeployGateway)],
  },
  (nest) => {
    nest.enableShutdownHooks([], { useProcessExit: true });
    nest.use('/ready', (_request, response) => {
      response.statusCode = isReady ? 200 : 503;
      response.end();
    });
  },
  port,
);
const channels = app.get(ChannelsService);

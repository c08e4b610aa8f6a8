// A node of bench/node-death.mjs. Arguments: its name, the url of a Redis, the port of the database, and what it has
// to do without: `acks`, `history`.
import { setTimeout as sleep } from 'node:timers/promises';
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

/** What a handler does behind its effect: a node that dies leaves effects without an answer. */
const WORK_MS = 500;

const [name, redis, database, ...without] = process.argv.slice(2);
const isKept = !without.includes('history');

class OrdersGateway {
  join() {
    return { node: name };
  }

  enter() {}

  async order(order, messageId, client) {
    const body = JSON.stringify({ customer: client.principal, messageId: String(messageId), order });
    const answer = await fetch(`http://127.0.0.1:${database}`, { method: 'POST', body });
    const row = await answer.json();
    await sleep(WORK_MS);
    return row;
  }
}
const news = defineChannel('news', { history: isKept && { size: 1_000 } });
decorateMethod(OrdersGateway, 'join', SubscribeChannel(news));
decorateMethod(OrdersGateway, 'enter', SubscribeChannel(defineChannel('hall:{name}', { presence: true })));
decorateMethod(OrdersGateway, 'order', SubscribeMessage('order'));
if (!without.includes('acks')) decorateMethod(OrdersGateway, 'order', Acked());
decorateParam(OrdersGateway, 'order', 0, MessageBody());
decorateParam(OrdersGateway, 'order', 1, MessageId());
decorateParam(OrdersGateway, 'order', 2, ConnectedSocket());

const channelsModule = ChannelsModule.forRoot({
  allowedOrigins: '*',
  broker: new RedisBroker(redis),
  session: ({ url }) => ({ principal: new URL(url, 'ws://here').searchParams.get('user') }),
  maxPresenceMembers: 100_000,
});
const app = await serveNest({ imports: [channelsModule], providers: [gateway(OrdersGateway)] });
const channels = app.get(ChannelsService);

process.on('message', async ({ type, number, at }) => {
  if (type !== 'publish') return;
  // With a key, so that whoever does not know whether it was made can make it again.
  const options = isKept ? { key: String(number) } : {};
  const error = await channels.publish('news', 'number', { number, at }, options).then(
    () => undefined,
    ({ code }) => code,
  );
  process.send({ type, error });
});

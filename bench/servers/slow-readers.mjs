// A feed in one channel, whose `overflow` is the argument, and what waits for those who read it.
import { ChannelsModule, ChannelsService, defineChannel, SubscribeChannel } from 'nestjs-channels';
import { Engine } from '../../dist/core/engine.js';
import { decorateMethod, gateway, serveNest } from './nest.mjs';

const [overflow] = process.argv.slice(2);

class FeedGateway {
  feed() {}
}
decorateMethod(FeedGateway, 'feed', SubscribeChannel(defineChannel('feed', { overflow })));

const closes = [];
let dropped = 0;
let fullAt;
let most = 0;

const observer = {
  closed: (_connection, code) => closes.push({ code, at: performance.now() }),
  dropped: (_connection, _channel, count) => {
    dropped += count;
  },
};
const app = await serveNest({
  imports: [ChannelsModule.forRoot({ allowedOrigins: '*', observers: [observer] })],
  providers: [gateway(FeedGateway)],
});
const engine = app.get(Engine, { strict: false });
const channels = app.get(ChannelsService);
let memory = process.memoryUsage.rss();

/** Publishes, and looks after each what waits for the slowest. */
process.on('message', ({ type, count, bytes, everyMs }) => {
  if (type === 'base') memory = process.memoryUsage.rss();
  if (type === 'feed') feed(count, bytes, everyMs);
  if (type === 'seen') {
    const rss = peak - memory;
    process.send({ type, closes, dropped, most, rss, fullAt, open: engine.connections.size });
  }
});

let peak = memory;
setInterval(() => {
  peak = Math.max(peak, process.memoryUsage.rss());
}, 20);

function feed(count, bytes, everyMs) {
  const text = 'x'.repeat(bytes);
  let number = 0;
  const timer = setInterval(() => {
    const at = Number(process.hrtime.bigint()) / 1e6;
    void channels.publish('feed', 'item', { number: ++number, at, text });
    for (const { outbox } of engine.connections.values()) most = Math.max(most, outbox.bytes);
    if (most + bytes > engine.options.maxOutboxBytes) fullAt ??= performance.now();
    if (number < count) return;
    clearInterval(timer);
    process.send({ type: 'fed' });
  }, everyMs);
}

// What publishing with a history costs by hand: XADD and PUBLISH, and nothing of what makes a history safe.
// Arguments: the url of a Redis; 'batched' for one write to the socket per turn instead of one per command.
import { createServer } from 'node:http';
import { Redis } from 'ioredis';
import { publishOnOrder } from './orders.mjs';
import { report } from './report.mjs';

/** As many as a history of ours has. */
const HISTORY_SIZE = 100;

const [url, isBatched] = process.argv.slice(2);
const redis = new Redis(url, { enableAutoPipelining: isBatched === 'batched' });
publishOnOrder(async (channel, data) => {
  const message = JSON.stringify({ channel, event: 'message', data });
  await Promise.all([
    redis.xadd(`stream:${channel}`, 'MAXLEN', HISTORY_SIZE, '*', 'p', message),
    redis.publish(channel, message),
  ]);
});

const http = createServer();
http.listen(0, '127.0.0.1', () => report(http));

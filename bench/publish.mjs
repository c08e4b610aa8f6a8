// npm run bench:publish [-- --total n] [--in-flight n] [--rounds n]: publications with a history per second on one
// connection to Redis, beside XADD and PUBLISH by hand.
import { Redis } from 'ioredis';
import { checkBar, median, numberOf, printTable } from './numbers.mjs';
import { withRedis } from './redis.mjs';
import { endWithin, withServer } from './serve.mjs';

const BYTES = 120;
const BAR_PER_SECOND = 20_000;

const SERVERS = [
  { name: 'ioredis', file: 'ioredis' },
  { name: 'ioredis, batched', file: 'ioredis', args: ['batched'] },
  { name: 'channels', file: 'channels-redis' },
];

const total = numberOf('total', 100_000);
const inFlight = numberOf('in-flight', 1_000);
const rounds = numberOf('rounds', 5);
endWithin(2 + rounds);

const runs = new Map(SERVERS.map(({ name }) => [name, []]));
await withRedis(async (url) => {
  const redis = new Redis(url);
  for (let round = 0; round < rounds; round++) {
    for (const server of SERVERS) runs.get(server.name).push(await runOn(server, url, redis));
  }
  redis.disconnect();
});
print();

function runOn({ file, args = [] }, url, redis) {
  const order = { channel: 'kept:1', bytes: BYTES, inFlight };
  return withServer(
    file,
    async (publisher) => {
      // What runs often is compiled by then.
      await publisher.ask('flood', { ...order, total: total / 5 });
      const before = await cpuOf(redis);
      const { seconds, microseconds } = await publisher.ask('flood', { ...order, total });
      return {
        perSecond: total / seconds,
        node: microseconds / total,
        redis: ((await cpuOf(redis)) - before) / total,
      };
    },
    [url, ...args],
  );
}

/** Microseconds that Redis has worked. */
async function cpuOf(redis) {
  const info = await redis.info('cpu');
  const of = (name) => Number(new RegExp(`^${name}:(.*)$`, 'm').exec(info)[1]);
  return 1e6 * (of('used_cpu_user') + of('used_cpu_sys'));
}

function print() {
  const rows = SERVERS.map(({ name }) => {
    const middle = (key) => median(runs.get(name).map((run) => run[key]));
    return { name, perSecond: middle('perSecond'), node: middle('node'), redis: middle('redis') };
  });
  const [base] = rows;
  console.log(
    `\n${total} publications of ${BYTES} bytes, ${inFlight} under way, one connection, median of ${rounds}`,
  );
  printTable(
    ['publisher', `per second, × ${base.name}`, 'per second', 'CPU µs each, node', 'Redis'],
    rows.map(({ name, perSecond, node, redis }) => [
      name,
      (perSecond / base.perSecond).toFixed(2),
      Math.round(perSecond),
      node.toFixed(1),
      redis.toFixed(1),
    ]),
  );
  const { perSecond } = rows.at(-1);
  checkBar(`${Math.round(perSecond)} per second: at least ${BAR_PER_SECOND}`, perSecond >= BAR_PER_SECOND);
}

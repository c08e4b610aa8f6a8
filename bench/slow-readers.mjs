// npm run bench:slow-readers [-- --readers n] [--megabytes n] [--seconds n] [--kbit n]: one reader behind a link of
// 256 kbit/s among 99 good ones, 10 MB due to each, with each `overflow`; then one who pings and never reads.
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { FaultProxy } from 'nestjs-channels/testing';
import { frame } from './load.mjs';
import { checkBar, now, numberOf, percentile, printTable } from './numbers.mjs';
import { openPeer, readFrames } from './peer.mjs';
import { endWithin, withServer } from './serve.mjs';

const MIB = 1_048_576;
const BARS = { outboxBytes: MIB, terminatedMs: 5_000, p99Ms: 50, pingRss: 50 * MIB, pingMs: 2_000 };
const BYTES = 10_000;
const PING_MS = 10_000;

/** How long it has to stay behind the slow link when everything has been published. */
const STAYS_MS = 5_000;

/** How long the last value may take when the link has recovered. */
const LAST_VALUE_MS = 30_000;

const readers = numberOf('readers', 99);
const megabytes = numberOf('megabytes', 10);
const seconds = numberOf('seconds', 20);
const kbit = numberOf('kbit', 256);
const total = Math.ceil((megabytes * 1e6) / BYTES);
endWithin(20);

const rows = [];
for (const overflow of ['disconnect', 'drop-oldest', 'latest']) {
  // One after the other, so that none is in the way of another.
  rows.push(await withServer('slow-readers', (server) => feed(server, overflow), [overflow]));
}
printTable(
  [
    'overflow',
    'outbox KiB, most',
    'closed with',
    'after the cap, ms',
    'dropped',
    'p99 of the others, ms',
    'last value',
  ],
  rows.map(({ overflow, most, codes, afterMs, dropped, p99, last }) => [
    overflow,
    (most / 1_024).toFixed(0),
    codes.join(' ') || 'nothing',
    afterMs?.toFixed(0) ?? '',
    dropped,
    p99,
    last ?? '',
  ]),
);
for (const { overflow, most, codes, afterMs, p99, last } of rows) {
  checkBar(`${overflow}: outbox of ${most} bytes (at most ${BARS.outboxBytes})`, most <= BARS.outboxBytes);
  checkBar(
    `${overflow}: p99 of ${p99} ms for the ${readers} others (at most ${BARS.p99Ms})`,
    p99 <= BARS.p99Ms,
  );
  if (overflow === 'disconnect') {
    checkBar(
      `disconnect: ended with ${codes.join(' ')}, ${afterMs?.toFixed(0) ?? 'never seen, so no'} ms after the cap`,
      codes[0] === 4413 && afterMs !== undefined && afterMs <= BARS.terminatedMs,
    );
  } else {
    checkBar(
      `${overflow}: stays, and has ${last} of ${total} in the end`,
      codes.length === 0 && last === total,
    );
  }
}
for (const bytes of [0, 125]) {
  await withServer('slow-readers', (server) => ping(server, bytes), ['disconnect']);
}

async function feed(server, overflow) {
  const proxy = await FaultProxy.start({ target: { port: server.port } });
  const delays = {};
  const others = [];
  for (let at = 0; at < readers; at++) {
    others.push(
      await open(server.port, ({ data }) => {
        const ms = Math.round(now() - data.at);
        delays[ms] = (delays[ms] ?? 0) + 1;
      }),
    );
  }
  const slowest = { last: undefined };
  const slow = await open(proxy.port, ({ data }) => {
    slowest.last = data.number;
  });
  await sleep(500);
  proxy.bytesPerSecond = (kbit * 1_000) / 8;
  const fed = server.next('fed');
  server.send({ type: 'feed', count: total, bytes: BYTES, everyMs: Math.max(1, (seconds * 1_000) / total) });
  await fed;
  // What the kernels hold takes minutes at that rate, and comes before the last value.
  await sleep(STAYS_MS);
  proxy.bytesPerSecond = 0;
  const until = performance.now() + (overflow === 'disconnect' ? 0 : LAST_VALUE_MS);
  while (slowest.last !== total && performance.now() < until && !slow.destroyed) await sleep(100);
  const { most, closes, dropped, fullAt } = await server.ask('seen');
  for (const socket of [...others, slow]) socket.destroy();
  await proxy.close();
  const codes = closes.map(({ code }) => code);
  // Who has not seen the cap cannot say how long it took from there.
  const afterMs = closes[0] && fullAt !== undefined ? Math.max(0, closes[0].at - fullAt) : undefined;
  return { overflow, most, codes, afterMs, dropped, last: slowest.last, p99: percentile(delays, 0.99) };
}

/** Resolves when it has asked for the feed. */
async function open(port, onItem) {
  const socket = await openPeer({ port, protocol: 'nestjs-channels.v1.json' });
  socket.on('error', () => undefined);
  readFrames(socket, { onText: (text) => text.includes('"item"') && onItem(JSON.parse(text)) });
  socket.write(frame(JSON.stringify({ event: '$subscribe', id: 1, data: { channel: 'feed' } })));
  return socket;
}

/** Writes pings as fast as it can, and never reads. */
async function ping(server, bytes) {
  const socket = connect({ port: server.port, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  socket.write(
    'GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  await once(socket, 'readable');
  await server.ask('memory');
  server.send({ type: 'base' });
  const one = Buffer.concat([Buffer.from([0x89, 0x80 | bytes, 0, 0, 0, 0]), Buffer.alloc(bytes)]);
  const many = Buffer.concat(Array.from({ length: 1_000 }, () => one));
  const startedAt = performance.now();
  // A reset is an end as well, which `once` would reject for.
  const closed = new Promise((resolve) => {
    socket.once('close', () => resolve(performance.now() - startedAt));
  });
  while (!socket.destroyed && performance.now() - startedAt < PING_MS) {
    if (!socket.write(many)) await Promise.race([once(socket, 'drain').catch(() => undefined), closed]);
    await sleep(0);
  }
  const tookMs = await Promise.race([closed, sleep(0)]);
  const { rss, closes } = await server.ask('seen');
  socket.destroy();
  checkBar(
    `pings of ${bytes} bytes: ended with ${closes[0]?.code} after ${tookMs?.toFixed(0)} ms (at most ${BARS.pingMs})`,
    tookMs <= BARS.pingMs,
  );
  checkBar(
    `pings of ${bytes} bytes: ${(rss / MIB).toFixed(1)} MiB more (at most ${BARS.pingRss / MIB})`,
    rss <= BARS.pingRss,
  );
}

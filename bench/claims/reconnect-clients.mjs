// The clients of reconnects.mjs, in a process of their own: real ones, each in one channel.
import { randomBytes } from 'node:crypto';
import { ChannelsClient } from 'nestjs-channels/client';
import { WebSocket } from 'ws';

/** Clients that connect for the first time at the same time. */
const BATCH = 50;

/** Nobody's draw differs from another's. The longest of each wait, for `next()` is below 1. */
const NO_JITTER = { next: () => 1 - Number.EPSILON, id: () => randomBytes(16).toString('hex') };

let away = 0;

process.on('disconnect', () => process.exit());
process.on('message', async ({ type, ...order }) => process.send({ type, ...(await ORDERS[type](order)) }));

const ORDERS = {
  async open({ port, count, isJittered }) {
    const options = { WebSocket, ...(isJittered ? {} : { random: NO_JITTER }) };
    for (let at = 0; at < count; at += BATCH) {
      const batch = Array.from({ length: Math.min(BATCH, count - at) }, () =>
        join(new ChannelsClient(`ws://127.0.0.1:${port}/ws`, options)),
      );
      await Promise.all(batch);
    }
  },

  away: () => ({ count: away }),
};

/** Resolves when the client is in its channel for the first time. */
function join(client) {
  let isIn = false;
  away++;
  client.on('$state', ({ name }) => {
    if (name !== 'waiting' || !isIn) return;
    isIn = false;
    away++;
  });
  const channel = client.channel('room:all');
  return new Promise((resolve) => {
    channel.on('$subscribed', () => {
      if (!isIn) away--;
      isIn = true;
      resolve();
    });
    // What it rejects with is that the client has ended.
    channel.subscribe().catch(() => {});
  });
}

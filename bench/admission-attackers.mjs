// Peers of bench/admission.mjs that misbehave, in a process of their own.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What one flooder has open at a time. */
const MAX_OPEN = 1_000;

const request = (port) =>
  `GET /ws HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`;

const orders = {
  /** Sockets that send a byte of their head each second, and never its end. */
  dribble: ({ port, count }) =>
    Promise.all(
      Array.from({ length: count }, () =>
        outlive(port, async (socket) => {
          socket.write('GET /ws HTTP/1.1\r\nHost: localhost\r\nX-Slow: ');
          while (!socket.destroyed) {
            await sleep(1_000);
            socket.write('x');
          }
        }),
      ),
    ),
  /** Sockets that send nothing at all. */
  silent: ({ port, count }) => Promise.all(Array.from({ length: count }, () => outlive(port, () => {}))),
  /** Sockets that are upgraded, and then neither say nor answer anything. */
  mute: async ({ port, count }) => {
    const lives = [];
    // Not all at once: that is the flood.
    for (let at = 0; at < count; at++) {
      if (at % 25 === 0) await sleep(50);
      lives.push(outliveOpen(port));
    }
    return Promise.all(lives);
  },
  flood,
};

/** How long a socket lives, in milliseconds. */
async function outlive(port, speak) {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => {});
  // What is not read is never seen to end.
  socket.resume();
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await Promise.race([once(socket, 'connect').catch(() => {}), closed]);
  const openedAt = performance.now();
  void speak(socket);
  await closed;
  return performance.now() - openedAt;
}

/** How long a connection lives that says nothing, in milliseconds, from the 101 on. */
async function outliveOpen(port) {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => {});
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write(request(port));
  await Promise.race([once(socket, 'data').catch(() => {}), closed]);
  const openedAt = performance.now();
  socket.resume();
  await closed;
  return performance.now() - openedAt;
}

/** Upgrades as fast as they go, for so many seconds: each is dropped when it is answered. */
async function flood({ port, seconds }) {
  const end = performance.now() + seconds * 1_000;
  let upgrades = 0;
  await Promise.all(
    Array.from({ length: MAX_OPEN }, async () => {
      while (performance.now() < end) {
        await upgradeOnce(port, end);
        upgrades++;
      }
    }),
  );
  return [upgrades];
}

async function upgradeOnce(port, end) {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => {});
  socket.write(request(port));
  const timer = setTimeout(() => socket.destroy(), Math.max(0, end - performance.now()));
  await new Promise((resolve) => {
    socket.once('data', () => {
      // Without a FIN_WAIT of its own: ports run out before anything else does.
      socket.resetAndDestroy();
      resolve();
    });
    socket.once('close', resolve);
  });
  clearTimeout(timer);
}

process.on('message', async ({ type, ...order }) =>
  process.send({ type, values: await orders[type](order) }),
);
process.on('disconnect', () => process.exit());

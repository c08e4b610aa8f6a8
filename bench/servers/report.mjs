import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Profiler } from './profiler.mjs';

/** The timer's own period is part of every value that the histogram has. */
const DELAY_RESOLUTION_MS = 10;

/** Tells the bench where the server listens, and on request what it has used. */
export function report(http) {
  let delay;
  const profiler = new Profiler();
  const answers = {
    profile: () => profiler.start(),
    profiled: async () => ({ top: await profiler.stop() }),
    usage: () => ({ cpu: process.cpuUsage(), rss: process.memoryUsage.rss() }),
    memory: readMemory,
    connections: () => countOf(http),
    watch() {
      delay ??= monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
      delay.enable();
      delay.reset();
    },
    delay: () => ({ p50: delay.percentile(50), p99: delay.percentile(99), max: delay.max }),
  };
  process.on('message', async ({ type }) => {
    const answer = answers[type];
    if (answer) process.send({ type, ...(await answer()) });
  });
  // A bench that was interrupted leaves nothing behind.
  process.on('disconnect', () => process.exit());
  process.send({ type: 'listening', port: http.address().port });
}

/** What is left after collection. More than once: what finalizers and weak references let go of comes later. */
async function readMemory() {
  for (let at = 0; at < 4; at++) {
    globalThis.gc();
    await sleep(50);
  }
  return { ...process.memoryUsage(), anonymous: anonymousBytes() };
}

/** RSS without what is mapped from files: the kernel may drop that part while nobody looks at it. */
function anonymousBytes() {
  const [, kib] = /RssAnon:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Number(kib) * 1_024;
}

function countOf(http) {
  return new Promise((resolve, reject) => {
    http.getConnections((error, count) => (error ? reject(error) : resolve({ count })));
  });
}

/** The loop of single sends: encoded once, sent to each. */
export function broadcast(clients, data) {
  const text = JSON.stringify({ channel: 'room:1', event: 'message', data });
  for (const client of clients) client.send(text);
}

/** Broadcasts what the bench orders. */
export function broadcastOn(clients) {
  process.on('message', ({ type, perTurn, turns, data }) => {
    if (type !== 'publish') return;
    const turn = (left) => {
      for (let at = 0; at < perTurn; at++) broadcast(clients, data);
      if (left > 1) setImmediate(turn, left - 1);
    };
    turn(turns);
  });
}

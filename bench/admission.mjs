// node bench/admission.mjs [--seconds n] [--dribblers n] [--mute n]: who is put out, and how a good client fares
// meanwhile: sockets that dribble their upgrade, sockets that open and never speak, and a flood of upgrades.
import { fork } from 'node:child_process';
import { frame } from './load.mjs';
import { checkBar, numberOf, printTable } from './numbers.mjs';
import { openPeer, readFrames } from './peer.mjs';
import { ask, end, endWithin, startServer } from './serve.mjs';

const BARS = { dribblersGoneMs: 36_000, muteGoneMs: 6_000, connectMs: 1_000, p99Ms: 100 };
const GOOD_CLIENTS = 100;
const WARM_UP = 300;
/** Each of the good clients asks so often. */
const ASK_EVERY_MS = 200;
/** How often somebody good comes while others misbehave. */
const CONNECT_EVERY_MS = 250;

const seconds = numberOf('seconds', 10);
const dribblers = numberOf('dribblers', 500);
const mutes = numberOf('mute', 1_000);

endWithin(10);
const rows = [];
await outlast('dribble', dribblers, {}, BARS.dribblersGoneMs);
await outlast('silent', mutes, { idleTimeoutMs: 5_000 }, BARS.muteGoneMs);
await outlast('mute', mutes, { idleTimeoutMs: 5_000 }, BARS.muteGoneMs);
await flooded('no limit', {});
await flooded('100 handshakes a second for an address', { handshakesPerSecondPerAddress: 100 }, '127.0.0.2');
await flooded('200 handshakes a second', { handshakesPerSecond: 200 });
printTable(['what', 'how many', 'result', 'connect, at most', 'p99 of good clients', 'refused'], rows);

/** How long they last, and how long a good client takes to connect meanwhile. */
async function outlast(type, count, options, barMs) {
  await withBoth(options, async (server, attackers) => {
    // A server that has served nobody yet has to compile everything first.
    for (let at = 0; at < WARM_UP; at++) (await openPeer({ port: server.port })).destroy();
    const knocks = knockAt(server.port);
    const { values } = await ask(attackers, type, { port: server.port, count });
    const connectMs = await knocks.stop();
    const goneMs = Math.max(...values);
    const { refused } = await server.ask('refusals');
    rows.push([type, count, `gone after ${ms(goneMs)}`, ms(connectMs), '', JSON.stringify(refused)]);
    checkBar(`${type}: all of ${count} gone after ${ms(goneMs)}, at most ${ms(barMs)}`, goneMs <= barMs);
    checkBar(`${type}: a good client connects in ${ms(connectMs)}`, connectMs < BARS.connectMs);
  });
}

/** Round trips of good clients while upgrades come as fast as they go. */
async function flooded(name, options, localAddress) {
  await withBoth(options, async (server, attackers) => {
    const clients = await goodClients(server.port, localAddress);
    const quiet = await measure(clients, 3_000);
    const { values } = await during(clients, ask(attackers, 'flood', { port: server.port, seconds }));
    const took = clients.flatMap(({ times }) => times.splice(0));
    const { refused } = await server.ask('refusals');
    const p99 = share(took, 0.99);
    const upgrades = values[0];
    rows.push([
      `flood, ${name}`,
      upgrades,
      `${Math.round(upgrades / seconds)} a second`,
      '',
      `${ms(p99)} (quiet ${ms(quiet)})`,
      JSON.stringify(refused),
    ]);
    checkBar(`flood, ${name}: p99 of ${GOOD_CLIENTS} good clients ${ms(p99)}`, p99 < BARS.p99Ms);
    for (const { socket } of clients) socket.destroy();
  });
}

async function withBoth(options, use) {
  const server = await startServer('admission', [JSON.stringify(options)]);
  const attackers = fork(new URL('./admission-attackers.mjs', import.meta.url));
  try {
    await use(server, attackers);
  } finally {
    await end(attackers);
    await server.end();
  }
}

/** A good client comes again and again; the longest that one has taken. */
function knockAt(port) {
  const took = [];
  const knock = async () => {
    const begin = performance.now();
    const socket = await openPeer({ port });
    took.push(performance.now() - begin);
    socket.destroy();
  };
  const knocks = [knock()];
  const timer = setInterval(() => knocks.push(knock()), CONNECT_EVERY_MS);
  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(knocks);
      return Math.max(...took);
    },
  };
}

/** Connects slower than any rate that is tried. */
async function goodClients(port, localAddress) {
  const clients = [];
  for (let at = 0; at < GOOD_CLIENTS; at++) clients.push(await goodClient(port, localAddress));
  return clients;
}

async function goodClient(port, localAddress) {
  const socket = await openPeer({ port, localAddress });
  const client = { socket, times: [], askedAt: 0 };
  readFrames(socket, {
    onText: () => client.times.push(performance.now() - client.askedAt),
    onClose: () => client.times.push(Infinity),
  });
  return client;
}

function askAll(clients) {
  const text = frame('{"event":"echo","data":1,"id":1}');
  const timers = clients.map((client, at) => {
    const asking = () => {
      // One that waits still is late by all of it.
      if (client.times.length < client.asked) return;
      client.asked = client.times.length + 1;
      client.askedAt = performance.now();
      client.socket.write(text);
    };
    client.asked = client.times.length;
    return setTimeout(
      () => {
        timers[at] = setInterval(asking, ASK_EVERY_MS);
      },
      (ASK_EVERY_MS * at) / clients.length,
    );
  });
  return () => timers.forEach((timer) => clearInterval(timer));
}

async function during(clients, work) {
  const stop = askAll(clients);
  const result = await work;
  stop();
  return result;
}

async function measure(clients, forMs) {
  await during(clients, new Promise((resolve) => setTimeout(resolve, forMs)));
  return share(
    clients.flatMap(({ times }) => times.splice(0)),
    0.99,
  );
}

function share(values, part) {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length * part) - 1] ?? Infinity;
}

function ms(value) {
  return value >= 10_000 ? `${(value / 1_000).toFixed(1)} s` : `${value.toFixed(0)} ms`;
}

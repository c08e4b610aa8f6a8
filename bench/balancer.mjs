// A haproxy before nodes, with the lines of sample/03-chat-cluster that see to the end of one.
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { end } from './serve.mjs';

/** Below the ports that systems give to outgoing connections. */
const PORTS = { from: 10_000, to: 32_000 };
const ATTEMPTS = 5;
const POLL_MS = 20;

/**
 * Starts one, hands its port to `use`, and ends it.
 *
 * @param nodes - `port` of each, and `room`, how many connections it gets before the next one has any
 * @param way - how connections are given to them: {@link FILLING} or {@link BALANCING}
 */
export async function withBalancer(nodes, use, way = FILLING) {
  const folder = mkdtempSync(join(tmpdir(), 'channels-bench-'));
  const { child, port } = await start(folder, nodes, way);
  const remove = () => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', remove);
  try {
    return await use(port);
  } finally {
    process.off('exit', remove);
    await end(child);
    remove();
  }
}

const SAMPLE = readFileSync(new URL('../sample/03-chat-cluster/haproxy.cfg', import.meta.url), 'utf8');

/** A node that is gone, or that refuses, is passed over; the sockets of one that is gone are cut. */
const PASSING_ON = linesOf(
  /^ +(option redispatch|retry-on|http-request disable-l7-retry|timeout check|default-server) /,
);

/** `first`, so that it is known which node has the crowd. Whoever loses that node is passed on to the next. */
const FILLING = '  balance first';

/** Evenly over those that say that they are ready. Who is on one that does not stays there. */
export const BALANCING = linesOf(/^ +(balance|option httpchk|http-check) /).replace('/health', '/ready');

function linesOf(pattern) {
  return SAMPLE.split('\n')
    .filter((line) => pattern.test(line))
    .join('\n');
}

async function start(folder, nodes, way) {
  for (let attempt = 1; ; attempt++) {
    const port = randomInt(PORTS.from, PORTS.to);
    const file = join(folder, 'haproxy.cfg');
    writeFileSync(file, configurationOf(port, nodes, way));
    const child = spawn('haproxy', ['-db', '-f', file], { stdio: ['ignore', 'ignore', 'ignore'] });
    if (await isServing(child, port)) return { child, port };
    await end(child);
    if (attempt === ATTEMPTS) throw new Error(`haproxy has not started, on ${ATTEMPTS} ports`);
  }
}

function configurationOf(port, nodes, way) {
  const servers = nodes.map(
    (node, at) => `  server node${at} 127.0.0.1:${node.port}${node.room ? ` maxconn ${node.room}` : ''}`,
  );
  return `
global
  maxconn 9000
defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  timeout tunnel 60s
listen nodes
  bind 127.0.0.1:${port}
${PASSING_ON}
${way}
${servers.join('\n')}
`;
}

/** False where it ends instead, as it does where somebody else has the port. */
async function isServing(child, port) {
  const exited = once(child, 'exit').then(() => false);
  for (;;) {
    const answer = await Promise.race([exited, accepts(port)]);
    if (answer || child.exitCode !== null) return answer && child.exitCode === null;
    await sleep(POLL_MS);
  }
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const settle = (answer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
}

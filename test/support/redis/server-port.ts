import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the ports that systems give to outgoing connections, also with {@link BUS_OFFSET} on top. */
const PORTS = { from: 10_000, to: 22_000 };

/** Where the nodes of a cluster talk to each other: a convention of Redis. */
const BUS_OFFSET = 10_000;

const ATTEMPTS = 100;

/**
 * A port that nobody listens on, and whose cluster bus port is free as well. Not one that the system chooses: while
 * its server is away, a client that reconnects could be given that port as its own, and keep the server from it.
 */
export async function freeServerPort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const port = randomInt(PORTS.from, PORTS.to);
    if ((await isFree(port)) && (await isFree(port + BUS_OFFSET))) return port;
  }
  throw new Error(`${ATTEMPTS} ports between ${PORTS.from} and ${PORTS.to} were in use.`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening');
  } catch {
    return false;
  }
  await new Promise((resolve) => server.close(resolve));
  return true;
}

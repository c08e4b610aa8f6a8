import { randomInt } from 'node:crypto';
import { isFree } from '../free-port.js';

/** Below the ports that systems give to outgoing connections, also with {@link BUS_OFFSET} on top. */
const PORTS = { from: 10_000, to: 22_000 };

/** Where the nodes of a cluster talk to each other: a convention of Redis. */
const BUS_OFFSET = 10_000;

const ATTEMPTS = 100;

const HOST = '127.0.0.1';

/**
 * A port that nobody listens on, and whose cluster bus port is free as well. Not one that the system chooses: while
 * its server is away, a client that reconnects could be given that port as its own, and keep the server from it.
 */
export async function freeServerPort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const port = randomInt(PORTS.from, PORTS.to);
    if ((await isFree(port, HOST)) && (await isFree(port + BUS_OFFSET, HOST))) return port;
  }
  throw new Error(`${ATTEMPTS} ports between ${PORTS.from} and ${PORTS.to} were in use.`);
}

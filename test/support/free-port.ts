import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below those that systems choose themselves, and below those of `redis/server-port.ts`. */
const PORTS = { from: 2_000, to: 10_000 };

/**
 * A port that nobody listens on. Not one that the system chooses: it might choose the same again, for another server
 * or for a connection, before the caller listens on it.
 */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  for (;;) {
    const port = randomInt(PORTS.from, PORTS.to);
    if (await isFree(port, host)) return port;
  }
}

/** Whether somebody could listen there. */
export async function isFree(port: number, host: string): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, host), 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false;
    throw error;
  }
  await new Promise((resolve) => server.close(resolve));
  return true;
}

import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout } from 'node:timers/promises';

const ATTEMPTS = 200;
const PAUSE_MS = 50;

/** Below those that systems give to outgoing connections: one of those may be gone before somebody listens on it. */
const PORTS = { from: 10_000, to: 32_000 };

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    const port = randomInt(PORTS.from, PORTS.to);
    const taken = await tryToListen(port);
    if (taken === undefined) return port;
    if (attempt === ATTEMPTS) throw taken;
  }
}

/** Rejects where somebody listens on the port already. */
export async function expectFree(port: number): Promise<void> {
  const taken = await tryToListen(port);
  if (taken === undefined) return;
  throw new Error(`Port ${port} cannot be had: ${taken.message}. PORT names another one.`, { cause: taken });
}

/** Why nobody can listen on this port. */
async function tryToListen(port: number): Promise<Error | undefined> {
  const server = createServer();
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening');
  } catch (error) {
    return error as Error;
  }
  await new Promise((resolve) => server.close(resolve));
  return undefined;
}

/** Resolves when this address serves a page; rejects after 10 s. */
export async function serves(url: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await fetch(url).catch((error: unknown) => error);
    if (answer instanceof Response && answer.ok) return;
    if (attempt === ATTEMPTS) throw new Error(`${url} does not answer.`, { cause: answer });
    await setTimeout(PAUSE_MS);
  }
}

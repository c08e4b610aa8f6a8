import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';

const ATTEMPTS = 200;
const PAUSE_MS = 50;

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Rejects where somebody listens on the port already. */
export async function expectFree(port: number): Promise<void> {
  const server = createServer();
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening');
  } catch (error) {
    throw new Error(`Port ${port} cannot be had: ${(error as Error).message}. PORT names another one.`, {
      cause: error,
    });
  }
  await new Promise((resolve) => server.close(resolve));
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

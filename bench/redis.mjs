// A Redis of the bench's own: its port, its folder, its process.
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { end } from './serve.mjs';

/** Below the ports that systems give to outgoing connections, which the benches need by the thousand. */
const PORTS = { from: 10_000, to: 32_000 };
const ATTEMPTS = 5;

/** Starts one that writes nothing, hands its url to `use`, and ends it. */
export async function withRedis(use) {
  const folder = mkdtempSync(join(tmpdir(), 'channels-bench-'));
  const { child, url } = await start(folder);
  const remove = () => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', remove);
  // Not an end with 'exit' otherwise, and a Redis is told of no disconnect.
  process.once('SIGTERM', exit);
  try {
    return await use(url);
  } finally {
    process.off('exit', remove);
    process.off('SIGTERM', exit);
    await end(child);
    remove();
  }
}

function exit() {
  process.exit(143);
}

async function start(folder) {
  for (let attempt = 1; ; attempt++) {
    const port = randomInt(PORTS.from, PORTS.to);
    const options = { port, bind: '127.0.0.1', dir: folder, save: '', appendonly: 'no' };
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    if (await isReady(child)) return { child, url: `redis://127.0.0.1:${port}` };
    await end(child);
    if (attempt === ATTEMPTS) throw new Error(`redis-server has not started, on ${ATTEMPTS} ports`);
  }
}

/** False where it ends instead, as it does where somebody else has the port. */
async function isReady(child) {
  const lines = createInterface(child.stdout);
  const ready = new Promise((resolve) => {
    lines.on('line', (line) => line.includes('Ready to accept connections') && resolve(true));
  });
  return Promise.race([ready, once(child, 'exit').then(() => false)]);
}

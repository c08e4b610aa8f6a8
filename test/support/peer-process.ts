import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const SCRIPT = fileURLToPath(new URL('./peer.mjs', import.meta.url));

/** A client in a process of its own, which ends with the test. */
export interface PeerProcess {
  /** Stops it (SIGSTOP): its kernel still acknowledges what comes, and nobody reads it. */
  stop(): void;
}

/** Starts a client that answers pings; see `peer.mjs` for what it says. */
export function startPeer(url: string, channel: string): PeerProcess {
  const child = spawn(process.execPath, [SCRIPT, url, channel], { stdio: ['ignore', 'ignore', 'inherit'] });
  const exited = once(child, 'exit');
  onTestFinished(async () => {
    // Ends a stopped process as well.
    child.kill('SIGKILL');
    await exited;
  });
  return { stop: () => void child.kill('SIGSTOP') };
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { serves } from '../../sample/03-chat-cluster/ports.js';
import { prepareProxy, type ProxyName } from '../../sample/03-chat-cluster/proxies.js';
import { freePort } from '../support/free-port.js';
import { temporaryFolder } from './sample-process.js';

const FILES = { nginx: 'nginx.conf', haproxy: 'haproxy.cfg' } as const;

/**
 * One more proxy in front of the nodes of a cluster, with the configuration of the sample but for these lines. It ends
 * with the test. Returns its origin.
 */
export async function startProxyWithout(
  lines: RegExp,
  name: ProxyName,
  nodes: readonly string[],
): Promise<string> {
  const folder = temporaryFolder();
  const PORT = await freePort();
  const [NODE_1 = 0, NODE_2 = 0] = nodes.map((address) => Number(address.split(':')[1]));
  const [command = '', ...args] = prepareProxy(name, folder, { NODE_1, NODE_2, PORT });
  const file = join(folder, FILES[name]);
  const all = readFileSync(file, 'utf8').split('\n');
  const kept = all.filter((line) => !lines.test(line));
  if (kept.length === all.length) throw new Error(`${FILES[name]} has no line like ${lines.source}`);
  writeFileSync(file, kept.join('\n'));

  const child = spawn(command, args, { cwd: folder, stdio: 'ignore' });
  const ended = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  const origin = `http://127.0.0.1:${PORT}`;
  await serves(origin);
  return origin;
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { jwtSecret } from '../01-chat/jwt-secret.js';
import { openBrowser } from './browser.js';
import { expectFree, freePort, serves } from './ports.js';
import { Program } from './program.js';
import { preparePrometheus } from './prometheus.js';
import { prepareProxy, proxyNamed } from './proxies.js';

const CHAT = fileURLToPath(new URL('../01-chat/main.js', import.meta.url));

const { values } = parseArgs({
  options: { proxy: { type: 'string', default: 'nginx' }, prometheus: { type: 'boolean' } },
});
const folder = mkdtempSync(join(tmpdir(), 'chat-cluster-'));
const programs: Program[] = [];
let ending: Promise<void> | undefined;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end());

try {
  const url = await startAll();
  console.log(`Open ${url} in two tabs.`);
  if (process.stdout.isTTY) openBrowser(url);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
  await end();
}

async function startAll(): Promise<string> {
  const name = proxyNamed(values.proxy);
  const PORT = Number(process.env['PORT'] ?? 3_000) || (await freePort());
  await expectFree(PORT);
  const REDIS_URL = process.env['REDIS_URL'] || (await startRedis());
  const env = { ...process.env, REDIS_URL, JWT_SECRET: jwtSecret(), PORT: '0', HOST: '127.0.0.1' };
  const [NODE_1, NODE_2] = await Promise.all([startNode('node 1', env), startNode('node 2', env)]);
  const url = `http://127.0.0.1:${PORT}`;
  const proxy = start(name, prepareProxy(name, folder, { NODE_1, NODE_2, PORT }));
  await Promise.race([serves(url), proxy.endsEarly()]);
  if (values.prometheus) await startPrometheus({ NODE_1, NODE_2 });
  return url;
}

async function startRedis(): Promise<string> {
  const port = await freePort();
  const options = ['--bind', '127.0.0.1', '--port', `${port}`, '--save', '', '--appendonly', 'no'];
  await start('redis', ['redis-server', ...options]).says(/Ready to accept connections/);
  return `redis://127.0.0.1:${port}`;
}

async function startNode(name: string, env: NodeJS.ProcessEnv): Promise<number> {
  const node = start(name, [process.execPath, CHAT], env);
  const port = Number(await node.says(/Open http:.*:(\d+)/));
  console.log(`[${name}] serves port ${port}. See what its pages do: kill -9 ${node.pid}`);
  return port;
}

/** Where it is not installed it says so, and the chat goes on without. */
async function startPrometheus(nodes: Readonly<Record<string, number>>): Promise<void> {
  const PORT = await freePort();
  const prometheus = start('prometheus', preparePrometheus(folder, { ...nodes, PORT }));
  const isReady = prometheus.says(/ready to receive web requests/).then(() => true);
  if (await isReady.catch(() => false)) console.log(`[prometheus] serves http://127.0.0.1:${PORT}`);
}

function start(name: string, command: readonly string[], env?: NodeJS.ProcessEnv): Program {
  const program = new Program(name, command, { cwd: folder, env });
  programs.push(program);
  void program.ended.then(() => ending ?? console.log(`[${name}] has ended.`));
  return program;
}

/** Ends the last one first, so that nobody loses what it needs. */
function end(): Promise<void> {
  ending ??= (async () => {
    for (const program of programs.toReversed()) await program.end();
    rmSync(folder, { recursive: true, force: true });
  })();
  return ending;
}

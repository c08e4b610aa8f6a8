import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expectInstalled } from './packed-package.js';
import { readTree, ROOT } from './repository.js';

/** An application that starts cold, next to the other tests of the run, and ends by itself. */
export const SMOKE_TIMEOUT_MS = 60_000;

/** Node 22.12 says of each `require` of a module that it is experimental; 20.19 and 24 say nothing. */
const LOADING_WARNING =
  /^\(node:\d+\) ExperimentalWarning: CommonJS module \S+\/runtimes\/\S+ is loading ES Module \S+ using require\(\)\.\nSupport for .*\n\(Use .*\n/;

export interface SmokeResult {
  /** The line that the program has written, once all of it had passed. */
  readonly found: unknown;
  /** null where it had to be ended. */
  readonly code: number | null;
  /** What it has complained of. */
  readonly said: string;
}

/** A compiled smoke test of an application of `test/apps`. Throws where it is not what its source says. */
export function smokeProgram(app: 'nest11' | 'nest12', name: 'smoke' | 'nodes' = 'smoke'): string {
  expectInstalled(app);
  for (const [path, source] of readTree('test/apps/runtimes/src', '.ts')) {
    const copy = path.replace('test/apps/runtimes/src', `test/apps/${app}/src/runtimes`);
    if (readFileSync(join(ROOT, copy), 'utf8') !== source)
      throw new Error(`${copy} is not what ${path} is: run npm run test:apps.`);
  }
  return join(ROOT, 'test/apps', app, `dist/runtimes/${name}.js`);
}

export async function runSmoke(
  node: string,
  program: string,
  env: Readonly<Record<string, string>> = {},
): Promise<SmokeResult> {
  const child = spawn(node, [program], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env, NODE_OPTIONS: '' },
    timeout: SMOKE_TIMEOUT_MS / 2,
  });
  const [out, said, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  const found: unknown = out === '' ? undefined : JSON.parse(out);
  return { found, code, said: said.replace(LOADING_WARNING, '') };
}

/** All of it: what the smoke test leaves out is missed. */
export function passedSmoke(version: string, loader: 'require' | 'import'): SmokeResult {
  const hasOwnWebSocket = Number.parseInt(version, 10) >= 22;
  const found = {
    node: `v${version}`,
    loader,
    refused: { status: 401, code: 4501 },
    plain: { event: 'echo', data: 'ä' },
    ws: visit('ws'),
    ...(hasOwnWebSocket && { own: visit('own') }),
    ended: [1012, 1012, hasOwnWebSocket ? 1012 : null],
    restart: { code: 1012, verdict: 'reconnect' },
  };
  return { found, code: 0, said: '' };
}

/** All of it, where two nodes and a worker share a Redis. */
export function passedNodes(version: string, loader: 'require' | 'import'): SmokeResult {
  const heard = [{ text: 'hello', by: 'name-ann' }, { text: 'from the worker' }];
  return { found: { node: `v${version}`, loader, heard }, code: 0, said: '' };
}

function visit(name: string): object {
  const said = `hello from ${name}`;
  return { joined: { welcome: 'lobby' }, heard: { text: said, by: `name-${name}` }, answer: { said } };
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { onTestFinished } from 'vitest';
import { bundleForBrowser, CLIENT_SOURCE } from './client-bundle.js';
import { ROOT } from './repository.js';

/** Somewhere that a client runs. */
export interface Runtime {
  readonly name: string;
  /**
   * Whether a connection that is reset in the moment it is made may end without an event, so that the socket stays
   * CONNECTING for ever. That of Node 20.20 did so in 6 of 270 processes.
   */
  readonly losesResets: boolean;
  /** Runs a function of `client-conversation.mjs`, and gives what it returns. */
  run(script: string, settings: RuntimeSettings): Promise<unknown>;
}

export interface RuntimeSettings {
  readonly url: string;
  /** A page of the same origin, for browsers. */
  readonly pageUrl?: string;
  readonly connectTimeoutMs?: number;
}

const CONVERSATION = moduleUrl(
  readFileSync(fileURLToPath(new URL('./client-conversation.mjs', import.meta.url)), 'utf8'),
);

/** The same bundle and the same script in each of them. */
export function runtimesFor(browser: () => Browser): Runtime[] {
  return [
    {
      name: 'Node without a WebSocket, given that of ws',
      losesResets: false,
      run: (script, settings) =>
        inNode(['--no-experimental-websocket'], callOf(script, settings, ', WebSocket'), IMPORT_WS),
    },
    {
      name: "Node's own WebSocket",
      losesResets: true,
      run: (script, settings) => inNode(['--experimental-websocket'], callOf(script, settings)),
    },
    {
      name: 'Chromium',
      losesResets: false,
      run: (script, settings) => inPage(browser(), callOf(script, settings), settings),
    },
  ];
}

const IMPORT_WS = `import { WebSocket } from 'ws';`;

function callOf(script: string, { url, connectTimeoutMs }: RuntimeSettings, more = ''): string {
  const timeout = connectTimeoutMs === undefined ? '' : `, connectTimeoutMs: ${connectTimeoutMs}`;
  return `.${script}(lib, { url: ${JSON.stringify(url)}${timeout}${more} })`;
}

/**
 * Runs code as a module in a process of its own, in which nothing has loaded a WebSocket.
 *
 * @param call - what is called of the conversation
 */
async function inNode(flags: readonly string[], call: string, imports = ''): Promise<unknown> {
  const lib = moduleUrl((await bundleForBrowser(CLIENT_SOURCE)).code);
  return runModule(
    flags,
    `${imports}
    const lib = await import('${lib}');
    const conversation = await import('${CONVERSATION}');
    const result = await conversation${call};
    process.stdout.write(JSON.stringify(result));`,
  );
}

/** Runs a module in Node, and gives the JSON that it has written. */
export async function runModule(flags: readonly string[], source: string): Promise<unknown> {
  const child = spawn(process.execPath, [...flags, '--no-warnings', '--input-type=module', '-'], {
    cwd: ROOT,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  child.stdin.end(source);
  const [output, problems] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (output === '') throw new Error(`The process has said nothing. ${problems}`);
  return JSON.parse(output) as unknown;
}

async function inPage(browser: Browser, call: string, { pageUrl = '' }: RuntimeSettings): Promise<unknown> {
  const page = await browser.newPage();
  onTestFinished(() => page.close());
  await page.goto(pageUrl);
  await page.waitForFunction('window.channels');
  const result: unknown = await page.evaluate(
    `import('${CONVERSATION}').then((conversation) => { const lib = window.channels; return conversation${call}; })`,
  );
  // As from a process: `undefined` is left out.
  return JSON.parse(JSON.stringify(result)) as unknown;
}

/** A module that runs where it is, and can import nothing. */
export function moduleUrl(code: string): string {
  return `data:text/javascript;charset=utf-8,${encodeURIComponent(code).replaceAll("'", '%27')}`;
}

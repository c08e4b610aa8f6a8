import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ensureBuilt } from '../support/app-process.js';
import { bundleForBrowser, GLOBAL_NAME, type ClientBundle } from '../support/client-bundle.js';
import { ROOT } from '../support/repository.js';

/** The bar of the client: docs/client.md, "Sizes and limits". */
const MAX_GZIPPED_BYTES = 10_900;

/** The module that users get as `nestjs-channels/client`. */
const CLIENT = join(ROOT, 'dist/client/index.js');

/** What only Node has, and what would keep a browser from loading the bundle. */
const NODE_ONLY = /\bprocess\b|\bBuffer\b|\brequire\b|\b__(dirname|filename)\b|\bnode:/;

/** What is left of Node in a bundle. */
function findNode({ code, imports }: ClientBundle): string[] {
  const word = NODE_ONLY.exec(code)?.[0];
  return word === undefined ? [...imports] : [...imports, word];
}

function gzippedBytes({ code }: ClientBundle): number {
  return gzipSync(code, { level: 9 }).length;
}

/** A module of its own, as a file that goes with the test. */
function moduleOf(source: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'client-bundle-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'module.mjs');
  writeFileSync(path, source);
  return path;
}

/** What a page offers, and each time that it was touched. */
class WatchedPage {
  readonly touched: string[] = [];
  readonly #context: object;

  constructor() {
    const touched = (name: string): void => void this.touched.push(name);
    const page = {
      setTimeout: (): void => touched('setTimeout'),
      clearTimeout: (): void => touched('clearTimeout'),
      setInterval: (): void => touched('setInterval'),
      addEventListener: (): void => touched('addEventListener'),
      queueMicrotask: (): void => touched('queueMicrotask'),
      fetch: (): void => touched('fetch'),
      btoa: (binary: string): string => btoa(binary),
      WebSocket: class {
        readyState = 0;
        constructor() {
          touched('WebSocket');
        }
      },
      get performance(): object {
        touched('performance');
        return performance;
      },
      get crypto(): object {
        touched('crypto');
        return crypto;
      },
      touched,
    };
    this.#context = createContext(page);
    this.run('Math.random = () => (touched("Math.random"), 0.5); Date.now = () => (touched("Date.now"), 1);');
  }

  run(script: string): void {
    runInContext(script, this.#context);
  }
}

describe('the client, bundled for a browser', () => {
  let bundle: ClientBundle;

  beforeAll(async () => {
    ensureBuilt();
    bundle = await bundleForBrowser(CLIENT);
  }, 120_000);

  it(`has at most ${MAX_GZIPPED_BYTES} bytes, minified and compressed`, () => {
    const bytes = gzippedBytes(bundle);

    expect(bundle.code).toContain('nestjs-channels.v1.json');
    expect(bytes, `The client has ${bytes} bytes.`).toBeLessThanOrEqual(MAX_GZIPPED_BYTES);
  });

  it('has nothing of Node in it, and imports nothing', () => {
    expect(findNode(bundle)).toEqual([]);
  });

  it('draws no chance and opens nothing when it is loaded', async () => {
    const { code } = await bundleForBrowser(CLIENT, 'iife');
    const page = new WatchedPage();

    page.run(code);

    expect(page.touched).toEqual([]);
  });

  it('opens nothing before something needs the server', async () => {
    const { code } = await bundleForBrowser(CLIENT, 'iife');
    const page = new WatchedPage();
    page.run(code);

    page.run(`globalThis.client = new ${GLOBAL_NAME}.ChannelsClient('wss://example.com/ws');`);
    const whenMade = [...page.touched];
    page.run('client.connect();');

    // The second half shows that the traps work.
    expect(whenMade).not.toContain('WebSocket');
    expect(whenMade).not.toContain('setTimeout');
    expect(page.touched).toEqual(
      expect.arrayContaining(['crypto', 'performance', 'setTimeout', 'WebSocket']),
    );
  });
});

// Negative controls: a check that finds nothing must not pass for a bundle that has nothing.
describe('the check of a bundle', () => {
  it.each([
    [
      'a built-in',
      `import { randomUUID } from 'node:crypto'; export const id = randomUUID();`,
      'node:crypto',
    ],
    ['a built-in without node:', `import { once } from 'events'; export const wait = once;`, 'events'],
    ['a lazy import', `export const load = () => import('node:fs');`, 'node:fs'],
    ['process', `export const mode = process.env.MODE;`, 'process'],
    ['Buffer', `export const bytes = (text) => Buffer.from(text);`, 'Buffer'],
    ['require', `export const load = (name) => require(name);`, 'require'],
  ])('finds %s', async (_what, source, found) => {
    const bundle = await bundleForBrowser(moduleOf(source));

    expect(findNode(bundle)).toContain(found);
  });

  it('measures what cannot be compressed at its full size', async () => {
    const noise = crypto.getRandomValues(new Uint8Array(MAX_GZIPPED_BYTES));
    const text = Buffer.from(noise).toString('base64');

    const bundle = await bundleForBrowser(moduleOf(`export const noise = '${text}';`));

    expect(gzippedBytes(bundle)).toBeGreaterThan(MAX_GZIPPED_BYTES);
  });
});

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConsoleMessage, Page } from 'playwright-core';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { withBrowser } from '../support/chromium.js';
import { extractBlocks } from '../support/docs-blocks.js';
import { freePort } from '../support/free-port.js';
import { expectFresh, RawClient } from '../support/installed-app.js';
import { ROOT } from '../support/repository.js';

// Applications start, perhaps on a machine that has other work to do.
vi.setConfig({ testTimeout: 60_000 });

const INSTALLED = join(ROOT, 'test/apps/nest12/node_modules');
const FOLDER = join(ROOT, 'test-artifacts/readme-app');

const COMPILER_TIMEOUT_MS = 60_000;

/** What `nest new` writes, as far as it matters to the compiler. */
const TSCONFIG = {
  compilerOptions: {
    module: 'nodenext',
    target: 'ES2023',
    emitDecoratorMetadata: true,
    experimentalDecorators: true,
    strict: true,
    skipLibCheck: true,
    types: ['node'],
    outDir: './dist',
    rootDir: './src',
  },
};

const { blocks } = extractBlocks('README.md', readFileSync(join(ROOT, 'README.md'), 'utf8'));
const server = blocks.find(({ name }) => name === 'main.ts')?.code ?? '';
const page = blocks.find(({ language }) => language === 'html')?.code ?? '';

function write(file: string, text: string): void {
  mkdirSync(join(FOLDER, file, '..'), { recursive: true });
  writeFileSync(join(FOLDER, file), text);
}

/** The application of the README in a process of its own, which ends with the test. */
async function start(pageText = page): Promise<{ readonly port: number; readonly log: () => string }> {
  write('public/index.html', pageText);
  const port = await freePort();
  const child = spawn(process.execPath, ['dist/main.js'], {
    cwd: FOLDER,
    env: { PATH: process.env.PATH, PORT: String(port), NO_COLOR: '1' },
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (log += text));
  const exited = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  await expect.poll(() => isServed(port), { timeout: 45_000 }).toBe(true);
  return { port, log: () => log };
}

async function isServed(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/`)).ok;
  } catch {
    return false;
  }
}

/** What a page of the application prints into the console of the browser. */
async function consoleOf(pageText: string): Promise<string> {
  const { port } = await start(pageText);
  return withBrowser(async (browser) => {
    const tab = await browser.newPage();
    const warned = new Promise<ConsoleMessage>((resolve) => {
      tab.on('console', (message) => {
        if (message.type() === 'warning') resolve(message);
      });
    });
    await tab.goto(`http://127.0.0.1:${port}/`);
    await say(tab);
    return (await warned).text();
  });
}

async function say(tab: Page): Promise<void> {
  await tab.getByPlaceholder('What is new?').fill('Rain');
  await tab.getByPlaceholder('What is new?').press('Enter');
}

describe('the application of the README', () => {
  beforeAll(() => {
    expectFresh('nest12');
    rmSync(FOLDER, { recursive: true, force: true });
    write('package.json', JSON.stringify({ type: 'module', private: true }));
    write('tsconfig.json', JSON.stringify(TSCONFIG));
    write('src/main.ts', server);
    symlinkSync(INSTALLED, join(FOLDER, 'node_modules'));
    const compiler = join(INSTALLED, 'typescript/bin/tsc');
    execFileSync(process.execPath, [compiler], { cwd: FOLDER, stdio: 'inherit' });
  }, COMPILER_TIMEOUT_MS);

  it('has at most thirty lines', () => {
    const lines = `${server}\n${page}`.split('\n').filter((line) => line.trim() !== '');

    expect(lines.length).toBeGreaterThan(20);
    expect(lines.length).toBeLessThanOrEqual(30);
  });

  it('shows in one tab what was written in another one', async () => {
    const { port } = await start();

    const shown = await withBrowser(async (browser) => {
      const [writer, reader] = [await browser.newPage(), await browser.newPage()];
      await reader.goto(`http://127.0.0.1:${port}/`);
      await writer.goto(`http://127.0.0.1:${port}/`);
      await say(writer);
      await reader.getByText('Rain').waitFor();
      return reader.locator('body').innerText();
    });

    expect(shown.trim()).toBe('Rain');
  });

  it('says at the start that it asks nobody who they are', async () => {
    const { log } = await start();

    await expect
      .poll(log)
      .toContain(
        'NewsGateway: anybody may connect to /ws; name a guard in @UseHandshakeGuards(...), or write @UseHandshakeGuards() to say that everybody may.',
      );
  });

  it('says what to do about a page of another origin', async () => {
    const { port, log } = await start();
    const foreign = RawClient.open(port, '/ws', [], { origin: 'http://localhost:5173' });

    await expect(foreign).rejects.toThrow('403');
    await expect.poll(log).toContain('to change that: allowedOrigins: ["http://localhost:5173"]');
  });

  it('says which paths there are', async () => {
    const { port, log } = await start();

    await expect(RawClient.open(port, '/socket')).rejects.toThrow('404');
    await expect
      .poll(log)
      .toMatch(/refused "\/socket".*to change that: give a gateway this path; there are \/ws/);
  });

  it.each([
    [
      'a channel that nobody has declared',
      "channel('news')",
      "channel('gnus')",
      'no @SubscribeChannel() matches "gnus"',
    ],
    ['a name that is none', "channel('news')", "channel('the news')", 'a channel is 1 to 255 characters of'],
  ])('says in the console what is wrong with %s', async (_, right, wrong, sentence) => {
    expect(page).toContain(right);
    expect(await consoleOf(page.replace(right, wrong))).toContain(sentence);
  });
});

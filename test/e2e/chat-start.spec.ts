import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { HandshakeRefused, TestClient } from 'nestjs-channels/testing';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ensureBuilt } from '../support/app-process.js';
import { readManifest, ROOT } from '../support/repository.js';
import { ChatProcess } from './chat-rig.js';
import { SampleProcess, temporaryFolder } from './sample-process.js';

const NEST = join(ROOT, 'node_modules/@nestjs/cli/bin/nest.js');
const SECRET_FILE = '.jwt-secret';
const COMPILER_TIMEOUT_MS = 120_000;

/** `fetch` would resolve the dots of a path before it asks. */
async function statusOf({ port }: SampleProcess, path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.once('error', reject).end();
  });
}

beforeAll(ensureBuilt, COMPILER_TIMEOUT_MS);

describe('npm run', () => {
  const CLIENT = '/nestjs-channels/client/index.js';

  it.each([
    ['start', ['/', '/chat.js', '/style.css', '/icon.svg', CLIENT]],
    ['start:orders', ['/', '/auction.js', '/auction.css', '/style.css', '/icon.svg', CLIENT]],
    ['start:metrics', ['/', '/figures.js', '/style.css', CLIENT]],
  ])(
    '%s builds a sample with its page, and serves it',
    async (script, paths) => {
      // What an earlier build has left would hide what this one forgets.
      rmSync(join(ROOT, 'dist-sample'), { recursive: true, force: true });
      const [build, start] = readManifest().scripts[script]?.split(' && ') ?? [];

      // The first half is what `ensureBuilt` has done.
      const [, ...args] = start?.split(' ') ?? [];
      const env = { JWT_SECRET: 'a secret of this test', DATABASE: join(temporaryFolder(), 'auction.db') };
      const sample = await new SampleProcess([NEST, ...args], { cwd: ROOT, env }).serves();

      expect(build).toBe('npm run build --silent');
      for (const path of paths) expect([path, await statusOf(sample, path)]).toEqual([path, 200]);
    },
    COMPILER_TIMEOUT_MS,
  );

  it(
    'start:cluster builds the sample with the page of the chat, and serves it',
    async () => {
      const [build, bundle, start] = readManifest().scripts['start:cluster']?.split(' && ') ?? [];
      rmSync(join(ROOT, 'dist-sample'), { recursive: true, force: true });
      const [, ...args] = bundle?.split(' ') ?? [];
      await new SampleProcess([NEST, ...args], { cwd: ROOT }).ended();

      const [, ...main] = start?.split(' ') ?? [];
      const env = { JWT_SECRET: 'a secret of this test' };
      const sample = await new SampleProcess(main, { cwd: ROOT, env }).serves();

      expect(build).toBe('npm run build --silent');
      for (const path of ['/', '/chat.js', '/style.css', '/icon.svg', CLIENT])
        expect([path, await statusOf(sample, path)]).toEqual([path, 200]);
    },
    COMPILER_TIMEOUT_MS,
  );
});

describe('the files that sample/01-chat serves', () => {
  it('are those of the page and of the client, and no others of the package or the sample', async () => {
    const chat = await ChatProcess.start();
    const hidden = [
      '/nestjs-channels/index.js',
      '/nestjs-channels/core/engine.js',
      '/nestjs-channels/nest/channels.module.js',
      '/nestjs-channels/client/../core/engine.js',
      '/nestjs-channels/client/%2e%2e/core/engine.js',
      '/nestjs-channels/client/..%2fcore%2fengine.js',
      '/nestjs-channels/client/',
      '/main.js',
      '/jwt-secret.js',
      '/../main.js',
      '/..%2fmain.js',
      `/${SECRET_FILE}`,
    ];

    const statuses = await Promise.all(hidden.map((path) => statusOf(chat, path)));

    expect(await statusOf(chat, '/nestjs-channels/client/index.js')).toBe(200);
    expect(hidden.filter((_, at) => statuses[at] !== 403 && statuses[at] !== 404)).toEqual([]);
  });
});

describe('JWT_SECRET of sample/01-chat', () => {
  it('is made and kept where it is absent: tokens survive a restart, and only the owner reads the file', async () => {
    const cwd = temporaryFolder();
    const chat = await ChatProcess.start({ cwd });
    const token = await chat.logIn('Ann');
    await chat.kill();

    const restarted = await ChatProcess.start({ cwd });
    const client = await restarted.connect('Ann', { token });

    expect(await client.subscribe('chat:lobby')).toMatchObject({ data: { data: [] } });
    expect(statSync(join(cwd, SECRET_FILE)).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(cwd, SECRET_FILE), 'utf8')).toMatch(/^[\w-]{43}$/);
  });

  it('is not made in production: the start refuses, and says what to do', async () => {
    const cwd = temporaryFolder();

    const start = ChatProcess.start({ cwd, env: { NODE_ENV: 'production' } });

    await expect(start).rejects.toThrow(/ended with 1: .*JWT_SECRET is not set: set it to a random text/s);
    expect(existsSync(join(cwd, SECRET_FILE))).toBe(false);
  });

  it.each(['', '\n', 'guess me'])('is refused where the file has been damaged: %j', async (text) => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, SECRET_FILE), text);

    await expect(ChatProcess.start({ cwd })).rejects.toThrow(/\.jwt-secret is damaged: delete it/);
  });

  it('starts in production when it is set, and keeps no file', async () => {
    const cwd = temporaryFolder();

    const chat = await ChatProcess.start({
      cwd,
      env: { NODE_ENV: 'production', JWT_SECRET: 'of this test' },
    });

    expect(await chat.logIn('Ann')).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
    expect(existsSync(join(cwd, SECRET_FILE))).toBe(false);
  });
});

describe('/inspector of sample/01-chat', () => {
  it('is there for those who sit at the machine, and for nobody who comes through a proxy or by another name', async () => {
    const chat = await ChatProcess.start();
    const strangers: Record<string, string>[] = [
      { 'x-forwarded-for': '203.0.113.7' },
      { forwarded: 'for=203.0.113.7' },
    ];

    const statuses = await Promise.all(
      strangers.map(async (headers) => (await fetch(`${chat.url}inspector`, { headers })).status),
    );

    expect(await statusOf(chat, '/inspector')).toBe(200);
    expect(statuses).toEqual([403, 403]);
    const socket = `ws://127.0.0.1:${chat.port}/inspector/ws`;
    const operator = await TestClient.connect(socket);
    onTestFinished(() => operator.terminate());
    expect((await operator.request('inspector.connections', {})).data).toMatchObject({
      own: expect.any(String),
    });
    const byName = TestClient.connect(socket, { protocols: [], headers: { host: 'rebound.example' } });
    await expect(byName).rejects.toMatchObject({ statusCode: 403 });
  });

  it('is not there in production', async () => {
    const chat = await ChatProcess.start({ env: { NODE_ENV: 'production', JWT_SECRET: 'of this test' } });

    expect(await statusOf(chat, '/inspector')).toBe(404);
    await expect(
      TestClient.connect(`ws://127.0.0.1:${chat.port}/inspector/ws`, { protocols: [] }),
    ).rejects.toMatchObject({ statusCode: 404 });
  });
});

describe('HOST of sample/01-chat', () => {
  it('is the address that it listens on', async () => {
    const chat = await ChatProcess.start({ env: { HOST: '127.0.0.2' } });
    const elsewhere = `http://127.0.0.2:${new URL(chat.url).port}/`;

    expect((await fetch(elsewhere)).status).toBe(200);
    await expect(fetch(chat.url)).rejects.toThrow('fetch failed');
  });
});

describe('ALLOWED_ORIGINS of sample/01-chat', () => {
  it('lets pages of these origins in, and no others', async () => {
    const env = { ALLOWED_ORIGINS: 'https://chat.example, https://other.example' };
    const chat = await ChatProcess.start({ env });

    for (const origin of ['https://chat.example', 'https://other.example'])
      expect(await chat.connect('Ann', { origin })).toBeInstanceOf(TestClient);
    for (const origin of ['https://evil.example', chat.url.slice(0, -1)])
      await expect(chat.connect('Ann', { origin })).rejects.toThrow(HandshakeRefused);
  });

  it.each([undefined, ''])('lets pages of the own host in where it is %j', async (ALLOWED_ORIGINS) => {
    const chat = await ChatProcess.start({ env: ALLOWED_ORIGINS === undefined ? {} : { ALLOWED_ORIGINS } });

    expect(await chat.connect('Ann', { origin: chat.url.slice(0, -1) })).toBeInstanceOf(TestClient);
    await expect(chat.connect('Ann', { origin: 'https://evil.example' })).rejects.toThrow(HandshakeRefused);
  });
});

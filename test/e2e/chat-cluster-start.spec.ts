import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, symlinkSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { delimiter, join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { ensureBuilt } from '../support/app-process.js';
import { RedisServer } from '../support/redis/redis-server.js';
import { ChatProcess } from './chat-rig.js';
import { ClusterProcess } from './cluster-rig.js';
import { temporaryFolder } from './sample-process.js';

// Each test starts several processes.
vi.setConfig({ testTimeout: 90_000 });

beforeAll(ensureBuilt, 120_000);

describe('REDIS_URL of sample/01-chat', () => {
  const HELLO = { room: 'lobby', text: 'hello' };

  it('makes one chat of its nodes', async () => {
    const env = { REDIS_URL: (await RedisServer.start()).url, JWT_SECRET: 'of this test' };
    const [one, two] = await Promise.all([ChatProcess.start({ env }), ChatProcess.start({ env })]);
    const [ann, ben] = [await one.connect('Ann'), await two.connect('Ben')];
    await ben.subscribe('chat:lobby');

    await ann.request('chat.send', HELLO);

    expect(await ben.waitFor({ event: 'message' })).toMatchObject({ data: { from: 'Ann', text: 'hello' } });
    const later = await (await two.connect('Cy')).subscribe('chat:lobby');
    expect(later).toMatchObject({ data: { data: [{ from: 'Ann', text: 'hello' }] } });
  });

  it('outlives a restart of all nodes', async () => {
    const env = { REDIS_URL: (await RedisServer.start()).url, JWT_SECRET: 'of this test' };
    const before = await ChatProcess.start({ env });
    await (await before.connect('Ann')).request('chat.send', HELLO);
    await before.kill();

    const after = await (await ChatProcess.start({ env })).connect('Ben');

    expect(await after.subscribe('chat:lobby')).toMatchObject({ data: { data: [{ text: 'hello' }] } });
  });

  // Negative control for the first test above.
  it('leaves each node to itself where it is absent', async () => {
    const env = { JWT_SECRET: 'of this test' };
    const [one, two] = await Promise.all([ChatProcess.start({ env }), ChatProcess.start({ env })]);

    await (await one.connect('Ann')).request('chat.send', HELLO);

    expect(await (await two.connect('Ben')).subscribe('chat:lobby')).toMatchObject({ data: { data: [] } });
  });
});

/** What a request for a WebSocket is answered with: 101 where it gets one. */
function upgradeStatus(origin: string, path: string): Promise<number | undefined> {
  const request = get(new URL(path, origin), {
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': randomBytes(16).toString('base64'),
    },
  });
  return new Promise((resolve, reject) => {
    request.on('error', reject);
    request.on('response', (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve(response.statusCode);
    });
  });
}

describe('sample/03-chat-cluster', () => {
  it('takes the Redis of REDIS_URL, and starts none then', async () => {
    const redis = await RedisServer.start();
    const cluster = await ClusterProcess.start({ proxy: 'haproxy', env: { REDIS_URL: redis.url } });

    const clients = String(await redis.run('client', 'list')).split('\n');

    expect(cluster.said.filter((line) => line.startsWith('[redis]'))).toEqual([]);
    expect(clients.length).toBeGreaterThan(2);
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'ends all that it has started on %s',
    async (signal) => {
      const cluster = await ClusterProcess.start({ proxy: 'nginx' });
      const pids = [...cluster.nodes.values()];
      const redis = Number(/pid=(\d+)/.exec(cluster.said.join('\n'))?.[1]);

      cluster.signal(signal);
      await cluster.ended();

      for (const pid of [...pids, redis]) expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
      await expect(fetch(cluster.url)).rejects.toThrow('fetch failed');
    },
    60_000,
  );

  it('says which proxies there are, and ends what it has started by then', async () => {
    const start = ClusterProcess.start({ proxy: 'apache' });

    await expect(start).rejects.toThrow(/ended with 1: .*--proxy apache: there are nginx and haproxy/s);
  });

  it.each(['nginx', 'haproxy'])(
    'shows nobody behind %s what the nodes tell those who run them',
    async (proxy) => {
      const cluster = await ClusterProcess.start({ proxy });
      const paths = [
        'metrics',
        'health',
        'health/live',
        'METRICS',
        'metrics/',
        'health?x',
        'inspector',
        'INSPECTOR',
      ];
      const statuses = (origin: string): Promise<number[]> =>
        Promise.all(paths.map(async (path) => (await fetch(`${origin}/${path}`)).status));

      const behind = await statuses(cluster.url.slice(0, -1));
      const [node] = cluster.nodes.keys();

      expect(behind).toEqual(paths.map(() => 404));
      expect(await statuses(`http://${node}`)).toEqual(paths.map(() => 200));
      expect(await upgradeStatus(cluster.url, 'inspector/ws')).toBe(404);
      expect(await upgradeStatus(`http://${node}/`, 'inspector/ws')).toBe(101);
      // By the header that both proxies add: a name or an address in it does not matter.
      const behindAnother = await fetch(`http://${node}/inspector`, {
        headers: { 'x-forwarded-for': '127.0.0.1' },
      });
      expect(behindAnother.status).toBe(403);
    },
    60_000,
  );

  it('says that its port is taken, and starts nothing', async () => {
    const other = await ChatProcess.start();
    const start = ClusterProcess.start({ proxy: 'nginx', port: other.port });

    await expect(start).rejects.toThrow(
      new RegExp(`ended with 1: Port ${other.port} cannot be had: .*EADDRINUSE.* PORT names another one\\.$`),
    );
  });

  it('says which program is not installed', async () => {
    const redis = await RedisServer.start();
    const start = ClusterProcess.start({ proxy: 'haproxy', env: { REDIS_URL: redis.url, PATH: '/nowhere' } });

    await expect(start).rejects.toThrow(/\[haproxy\] haproxy is not installed, or not in PATH/);
  });
});

describe('--prometheus of sample/03-chat-cluster', () => {
  /** Reads its configuration as Prometheus does, asks each target once, and tells what it was answered. */
  const PROGRAM = `#!${process.execPath}
    const { readFileSync } = require('node:fs');
    const options = new Map(process.argv.slice(2).map((option) => option.split('=')));
    const targets = readFileSync(options.get('--config.file'), 'utf8').match(/127[.]0[.]0[.]1:\\d+/g);
    console.log('listens on ' + options.get('--web.listen-address'));
    void (async () => {
      for (const target of targets) {
        const text = await (await fetch('http://' + target + '/metrics')).text();
        console.log('scraped ' + target + ': ' + /^channels_broker_up .*/m.exec(text));
      }
      console.log('Server is ready to receive web requests.');
      setInterval(() => undefined, 1_000);
    })();`;

  /** A folder with nothing but these programs of the system. */
  function folderOf(programs: readonly string[]): string {
    const folder = temporaryFolder();
    const places = (process.env.PATH ?? '').split(delimiter);
    for (const name of programs) {
      const place = places.find((path) => existsSync(join(path, name)));
      symlinkSync(join(place ?? '', name), join(folder, name));
    }
    return folder;
  }

  it('scrapes both nodes, and tells where it serves', async () => {
    const redis = await RedisServer.start();
    const PATH = folderOf(['haproxy']);
    writeFileSync(join(PATH, 'prometheus'), PROGRAM);
    chmodSync(join(PATH, 'prometheus'), 0o755);

    const cluster = await ClusterProcess.start({
      proxy: 'haproxy',
      args: ['--prometheus'],
      env: { REDIS_URL: redis.url, PATH },
    });

    const told = cluster.said.filter((line) => line.startsWith('[prometheus] '));
    const port = /listens on 127\.0\.0\.1:(\d+)/.exec(told.join('\n'))?.[1];
    const scraped = [...cluster.nodes.keys()].map((node) => `scraped ${node}: channels_broker_up 1`);
    const lines = [`listens on 127.0.0.1:${port}`, ...scraped, `serves http://127.0.0.1:${port}`];
    expect(told.toSorted()).toEqual(lines.map((line) => `[prometheus] ${line}`).toSorted());
  });

  it('says that it is not installed, and starts the chat', async () => {
    const redis = await RedisServer.start();

    const cluster = await ClusterProcess.start({
      proxy: 'haproxy',
      args: ['--prometheus'],
      env: { REDIS_URL: redis.url, PATH: folderOf(['haproxy']) },
    });

    expect(cluster.said).toContain('[prometheus] prometheus is not installed, or not in PATH');
    expect((await fetch(cluster.url)).status).toBe(200);
  });
});

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cluster, Redis } from 'ioredis';
import type { RedisConnection } from 'nestjs-channels/redis';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { eventually } from '../support/redis/eventually.js';
import { freeServerPort } from '../support/redis/server-port.js';
import { RedisCluster } from '../support/redis/redis-cluster.js';
import { RedisServer } from '../support/redis/redis-server.js';
import { Reader, startNode } from './news-nodes.js';

vi.setConfig({ testTimeout: 30_000 });

const CHANNEL = 'news:a';

/** Two nodes, of which one publishes twice; what a reader at the other was told. */
async function exchange(connection: RedisConnection, prefix?: string): Promise<Reader['told']> {
  const [one, other] = [await startNode({ connection, prefix }), await startNode({ connection, prefix })];
  const reader = await Reader.join(one, CHANNEL);

  await other.app.channels.publish(CHANNEL, 'said', 1);
  await other.app.channels.publish(CHANNEL, 'said', 2);

  await eventually('the reader has both', async () => reader.told.length === 2);
  return reader.told;
}

/** A key and a certificate of its own authority, for the loopback interface. */
function certificate(): { readonly key: string; readonly cert: string } {
  const folder = mkdtempSync(join(tmpdir(), 'channels-tls-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
      ...['-keyout', key, '-out', cert, '-days', '1', '-subj', '/CN=localhost'],
      ...['-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'],
    ],
    { stdio: 'ignore' },
  );
  return { key, cert };
}

describe('a connection with TLS', () => {
  async function startTls(): Promise<{ readonly port: number; readonly ca: string }> {
    const { key, cert } = certificate();
    const port = await freeServerPort();
    await RedisServer.start({
      config: { 'tls-port': port, 'tls-cert-file': cert, 'tls-key-file': key, 'tls-auth-clients': 'no' },
    });
    return { port, ca: readFileSync(cert, 'utf8') };
  }

  it('brings what is published', async () => {
    const { port, ca } = await startTls();

    const told = await exchange({ host: '127.0.0.1', port, tls: { ca } });

    expect(told).toEqual([1, 2]);
  });

  it('brings it for a connection that the application has as well', async () => {
    const { port, ca } = await startTls();
    const redis = new Redis({ host: '127.0.0.1', port, tls: { ca }, lazyConnect: true });
    onTestFinished(() => redis.disconnect());

    const told = await exchange(redis);

    expect(told).toEqual([1, 2]);
  });

  it.each<[string, (port: number) => RedisConnection]>([
    ['options', (port) => ({ host: '127.0.0.1', port, tls: {} })],
    ['a url', (port) => `rediss://127.0.0.1:${port}`],
  ])('is refused where nobody vouches for the certificate, and the start says so: %s', async (_, to) => {
    const { port } = await startTls();

    const started = startNode({ connection: to(port), startTimeoutMs: 3_000 });

    await expect(started).rejects.toThrow(/Redis is not there: self-signed certificate/);
  });
});

describe('a connection that the application has', () => {
  it('is not used itself, only what it was made with', async () => {
    const server = await RedisServer.start({ config: { requirepass: 'secret' } });
    const redis = new Redis(server.url);
    onTestFinished(() => redis.disconnect());
    await redis.select(1);

    await exchange(redis);

    expect(await redis.client('INFO')).toMatch(/ sub=0 psub=0 .* cmd=client/);
    expect(redis.status).toBe('ready');
  });

  it('outlives the broker', async () => {
    const server = await RedisServer.start();
    const redis = new Redis(server.url);
    onTestFinished(() => redis.disconnect());
    const { app } = await startNode({ connection: redis });

    await app.close();

    expect(await redis.ping()).toBe('PONG');
  });

  it.each<[string, (url: string) => RedisConnection]>([
    ['a connection', (url) => new Redis(url, { keyPrefix: 'mine:', lazyConnect: true })],
    ['options', (url) => ({ port: Number(new URL(url).port), keyPrefix: 'mine:' })],
    ['a url', (url) => `${url}?keyPrefix=mine:`],
  ])('leaves its keyPrefix out, and has the option `prefix` alone: %s', async (_what, toConnection) => {
    const server = await RedisServer.start();

    await exchange(toConnection(server.url), 'ours');
    const keys = (await server.run('keys', '*')) as string[];

    expect(keys.length).toBeGreaterThan(0);
    expect(keys.filter((key) => !key.startsWith('ours:'))).toEqual([]);
    expect(keys).toContain(`ours:{${CHANNEL}}:stream`);
  });

  it('leaves the keyPrefix of a Cluster out as well', { timeout: 60_000 }, async () => {
    const { startupNodes, nodes } = await RedisCluster.start();
    const connection = new Cluster(startupNodes, {
      lazyConnect: true,
      keyPrefix: 'mine:',
      redisOptions: { keyPrefix: 'mine:' },
    });

    await exchange(connection, 'ours');
    const keys = (await Promise.all(nodes.map((node) => node.run('keys', '*')))).flat() as string[];

    expect(keys).toContain(`ours:{${CHANNEL}}:stream`);
    expect(keys.filter((key) => !key.startsWith('ours:'))).toEqual([]);
  });

  it('does not meet another application with another prefix', async () => {
    const server = await RedisServer.start();
    const mine = await startNode({ connection: server.url, prefix: 'one' });
    const theirs = await startNode({ connection: server.url, prefix: 'two' });
    const [reader, other] = [await Reader.join(mine, CHANNEL), await Reader.join(theirs, CHANNEL)];

    await theirs.app.channels.publish(CHANNEL, 'said', 1);
    await expect.poll(() => other.told).toEqual([1]);
    await mine.app.channels.publish(CHANNEL, 'said', 1);
    await mine.app.channels.publish(CHANNEL, 'said', 2);
    await expect.poll(() => reader.told).toEqual([1, 2]);

    expect(other.told).toEqual([1]);
  });
});

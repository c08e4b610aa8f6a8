import { beforeAll, describe, expect, it, vi } from 'vitest';
import { ask } from '../health/health-rig.js';
import { ensureBuilt } from '../support/app-process.js';
import { eventually } from '../support/redis/eventually.js';
import { RedisServer } from '../support/redis/redis-server.js';
import { ChatProcess } from './chat-rig.js';

vi.setConfig({ testTimeout: 60_000 });

beforeAll(ensureBuilt, 120_000);

describe('/metrics of sample/01-chat', () => {
  it('counts what its users do', async () => {
    const chat = await ChatProcess.start();
    const ann = await chat.connect('Ann');
    await ann.subscribe('chat:lobby');
    await ann.request('chat.send', { room: 'lobby', text: 'hello' });

    const response = await fetch(`${chat.url}metrics`);
    const text = await response.text();

    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(text.split('\n')).toEqual(
      expect.arrayContaining([
        'channels_connections{path="/ws"} 1',
        'channels_acks_total{event="chat.send",outcome="done"} 1',
        'channels_publications_total{channel="chat:{room}"} 1',
      ]),
    );
    expect(text).toMatch(/^process_resident_memory_bytes \d+/m);
  });
});

describe('/health of sample/01-chat', () => {
  it('is green where it is the only process', async () => {
    const chat = await ChatProcess.start();
    await chat.connect('Ann');

    const figures = { status: 'up', state: 'up', broker: 'ready', connections: 1 };
    expect(await ask(chat)).toMatchObject({ status: 200, channels: figures });
    expect(await ask(chat, '/health/live')).toMatchObject({ status: 200, channels: figures });
  });

  it('turns red within 6 s when Redis stops answering, green when it returns, and keeps who is connected', async () => {
    const redis = await RedisServer.start();
    const chat = await ChatProcess.start({ env: { REDIS_URL: redis.url, JWT_SECRET: 'of this test' } });
    const ann = await chat.connect('Ann');
    await ann.subscribe('chat:lobby');

    redis.freeze();
    const red = await eventually(
      'it was red',
      async () => ((await ask(chat)).status === 503 ? ask(chat) : false),
      6_000,
    );
    const live = await ask(chat, '/health/live');
    redis.thaw();
    await eventually('it was green', async () => (await ask(chat)).status === 200, 6_000);
    await ann.request('chat.send', { room: 'lobby', text: 'still here' });

    expect(red.channels).toMatchObject({ status: 'down', state: 'up', connections: 1 });
    expect(live).toMatchObject({ status: 200, channels: { status: 'up', connections: 1 } });
    expect(await ann.waitFor({ event: 'message' })).toMatchObject({ data: { text: 'still here' } });
  });
});

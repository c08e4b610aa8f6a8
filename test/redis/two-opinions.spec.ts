import { Injectable } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import { SubscribeChannel } from 'nestjs-channels';
import { RedisBroker } from 'nestjs-channels/redis';
import { expect, it, vi } from 'vitest';
import { eventually } from '../support/redis/eventually.js';
import { RedisServer } from '../support/redis/redis-server.js';
import { startApp } from '../support/start-app.js';
import { Reader, startNode } from './news-nodes.js';

vi.setConfig({ testTimeout: 30_000 });

/** The gateway as it was before its channel got a history. */
@Injectable()
@WebSocketGateway({ path: '/ws' })
class FormerGateway {
  @SubscribeChannel('news:{topic}')
  join(): void {}
}

it('a deploy that adds a history: nothing that the old nodes publish is lost without a word', async () => {
  const server = await RedisServer.start();
  const old = await startApp({
    providers: [FormerGateway],
    channels: { broker: new RedisBroker(server.url) },
  });
  const fresh = await startNode({ connection: server.url });
  const formerly = await old.connect('/ws');
  await formerly.subscribe('news:a');
  const reader = await Reader.join(fresh, 'news:a');
  const { epoch } = reader.position;

  await fresh.app.channels.publish('news:a', 'said', 'new');
  await formerly.waitFor({ event: 'said', data: 'new' });
  for (let count = 0; count < 5; count++) await old.channels.publish('news:a', 'said', count);
  await eventually('the gap is told', async () => reader.gaps > 0);
  await fresh.app.channels.publish('news:a', 'said', 'newer');
  await eventually('it goes on', async () => reader.told.at(-1) === 2);

  const gaps = reader.told.filter((one) => typeof one === 'object');
  expect(reader.told).toEqual([1, ...gaps, 2]);
  expect(new Set(gaps.map((one) => JSON.stringify(one)))).toEqual(
    new Set([JSON.stringify({ epoch, offset: 1 })]),
  );
  expect(fresh.warnings).toEqual([
    expect.stringContaining(
      '"news:{topic}" has a history of 1000 for 600000 ms here, but no history at other nodes',
    ),
    expect.stringContaining('"news:a" has a history here, and is published to by somebody who knows of none'),
  ]);
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { ConnectedSocket, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { Acked, ChannelsService, ChannelSocket, defineChannel, SubscribeChannel } from 'nestjs-channels';
import { RedisBroker } from 'nestjs-channels/redis';
import type { ChannelsTestApp } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { RedisServer } from '../support/redis/redis-server.js';
import { ROOT } from '../support/repository.js';
import { startApp } from '../support/start-app.js';

const rooms = defineChannel('room:{name}', { history: true, presence: true });

@Injectable()
@WebSocketGateway({ path: '/ws' })
class RoomGateway {
  constructor(private readonly channels: ChannelsService) {}

  @SubscribeChannel(rooms)
  join(): void {}

  @SubscribeMessage('say')
  @Acked()
  async say(@ConnectedSocket() { id }: ChannelSocket): Promise<string> {
    await this.channels.publish('room:a', 'said', 'hello', { key: id });
    await this.channels.publish('plain', 'said', 'hello');
    return 'said';
  }
}

/** What docs/operations.md tells an operator to type, as words. */
function documentedUser(): readonly string[] {
  const markdown = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8');
  const [, command = ''] = /^ACL SETUSER ([^`]+)```/m.exec(markdown) ?? [];
  return command.trim().split(/\s+/);
}

async function startServer(): Promise<{ readonly server: RedisServer; readonly url: string }> {
  const server = await RedisServer.start();
  await server.run('acl', 'setuser', ...documentedUser());
  return { server, url: server.url.replace('//', '//chat:secret@') };
}

function startNode(url: string, prefix: string): Promise<ChannelsTestApp> {
  const broker = new RedisBroker({ connection: url, prefix });
  return startApp({ providers: [RoomGateway], channels: { broker } });
}

describe('a user of Redis who may do what docs/operations.md says', () => {
  it('is enough for publications, histories, presence, answers and control', async () => {
    const { server, url } = await startServer();
    const [one, two] = await Promise.all([startNode(url, 'chat'), startNode(url, 'chat')]);
    const [ann, ben] = await Promise.all([one.connect('/ws'), two.connect('/ws')]);
    await ann.subscribe('room:a');
    await ben.subscribe('room:a');

    expect(await ann.request('say')).toMatchObject({ data: 'said' });

    expect(await ben.waitFor({ event: 'said' })).toMatchObject({ offset: 1 });
    expect(await one.channels.history('room:a')).toMatchObject({ publications: [{ data: 'hello' }] });
    expect(await two.channels.presence('room:a')).toEqual([{ principal: '', connections: 2 }]);
    expect(await one.channels.connections()).toMatchObject({ nodes: { expected: 2, missing: [] } });
    expect(String(await server.run('acl', 'log'))).toBe('');
  });

  it('cannot go beyond its prefix', async () => {
    const { url } = await startServer();

    await expect(startNode(url, 'other')).rejects.toThrow(/No permissions|NOPERM/i);
  });
});

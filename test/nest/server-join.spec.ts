import { WebSocketGateway, type OnGatewayConnection } from '@nestjs/websockets';
import { ChannelsService, type ChannelSocket } from 'nestjs-channels';
import { memoryBroker } from '../core/engine-rig.js';
import { describe, expect, it, vi } from 'vitest';
import { RecordingObserver } from '../support/recording-observer.js';
import {
  acked,
  ask,
  enter,
  framesOf,
  publication,
  publish,
  startRoom,
  subscribersOf,
} from '../support/room.js';
import { startApp } from '../support/start-app.js';

function subscribed(channel = 'room:1'): object {
  return { event: '$subscribed', data: { channel } };
}

describe('a join by the server', () => {
  it('tells $subscribed before any publication, and runs no method', async () => {
    const rig = await startRoom();
    const joining = rig.app.channels.subscribe(await rig.room.clients.next(), 'room:1');

    await publish(rig, 1);
    await joining;
    await publish(rig, 2);

    expect(await framesOf(rig.client)).toEqual([
      subscribed(),
      publication('room:1', 1),
      publication('room:1', 2),
    ]);
    expect(rig.room.joins.all).toEqual([]);
  });

  it('is idempotent', async () => {
    const rig = await startRoom();
    const client = await rig.room.clients.next();

    await Promise.all([client.subscribe('room:1'), rig.app.channels.subscribe(client, 'room:1')]);
    await client.subscribe('room:1');
    await publish(rig, 1);

    expect(await framesOf(rig.client)).toEqual([subscribed(), publication('room:1', 1)]);
  });

  it('tells nothing where the client is in by itself', async () => {
    const rig = await startRoom();
    await enter(rig, 'room:1');

    await (await rig.room.clients.next()).subscribe('room:1');

    expect(await framesOf(rig.client)).toHaveLength(1);
  });

  it('needs no pattern', async () => {
    const rig = await startRoom();
    const client = await rig.room.clients.next();

    await rig.app.channels.subscribe(client, 'user~7');
    await publish(rig, 'hello', 'user~7');

    expect(await framesOf(rig.client)).toEqual([subscribed('user~7'), publication('user~7', 'hello')]);
    expect(client.channels).toEqual(['user~7']);
  });

  it('can be ended by the client', async () => {
    const rig = await startRoom();
    await rig.app.channels.subscribe(await rig.room.clients.next(), 'user~7');

    const { data } = await rig.client.unsubscribe('user~7');
    await publish(rig, 'too late', 'user~7');

    expect(data).toEqual({ channel: 'user~7' });
    expect(await framesOf(rig.client)).toHaveLength(2);
  });

  it('works within handleConnection, before anything of the client is handled', async () => {
    @WebSocketGateway({ path: '/welcome' })
    class WelcomeGateway implements OnGatewayConnection<ChannelSocket> {
      constructor(private readonly channels: ChannelsService) {}

      async handleConnection(client: ChannelSocket): Promise<void> {
        await this.channels.subscribe(client, 'lobby');
        await this.channels.publish('lobby', 'message', 'somebody came');
      }
    }
    const app = await startApp({ providers: [WelcomeGateway] });

    const client = await app.connect('/welcome');
    const [first] = [await client.next(), await framesOf(client)];

    expect(first).toEqual(subscribed('lobby'));
    expect(await framesOf(client)).toEqual([subscribed('lobby'), publication('lobby', 'somebody came')]);
  });

  it('during a pending $subscribe waits for it, and tells nothing where that succeeds', async () => {
    const rig = await startRoom();
    ask(rig.client, '$subscribe', 'a');
    const call = await rig.room.joins.next();
    const joining = rig.app.channels.subscribe(await rig.room.clients.next(), 'room:1');

    await publish(rig, 1);
    call.resolve();
    await joining;

    expect(await framesOf(rig.client)).toEqual([acked('a'), publication('room:1', 1)]);
  });

  it('during a pending $subscribe holds where that is refused', async () => {
    const rig = await startRoom();
    ask(rig.client, '$subscribe', 'a');
    const call = await rig.room.joins.next();
    const joining = rig.app.channels.subscribe(await rig.room.clients.next(), 'room:1');

    await publish(rig, 'held back for the refused one');
    call.reject(new Error('no'));
    await joining;
    await publish(rig, 1);

    expect(await framesOf(rig.client)).toMatchObject([
      { ack: 'a', error: { code: 'internal' } },
      subscribed(),
      publication('room:1', 1),
    ]);
  });

  it.each(['', 'a b', 'chat:{room}', 'a'.repeat(256)])(
    'rejects with bad_request for what is no channel name: %j',
    async (name) => {
      const rig = await startRoom();
      const client = await rig.room.clients.next();

      await expect(client.subscribe(name)).rejects.toMatchObject({ code: 'bad_request' });
      await expect(rig.app.channels.subscribe(client, name)).rejects.toMatchObject({ code: 'bad_request' });

      expect(await framesOf(rig.client)).toEqual([]);
    },
  );

  it('rejects with limit_exceeded past maxChannelsPerConnection', async () => {
    const rig = await startRoom({ channels: { maxChannelsPerConnection: 2, subscriptionsPerSecond: 0 } });
    const client = await rig.room.clients.next();
    await enter(rig, 'room:1');
    await client.subscribe('user~7');

    await expect(client.subscribe('user~8')).rejects.toMatchObject({
      name: 'ChannelsError',
      code: 'limit_exceeded',
    });

    expect(client.channels).toEqual(['room:1', 'user~7']);
  });

  // The leave resolved before its channel was off the books: who went on at once was refused.
  it('has room for a join right behind a leave', async () => {
    const rig = await startRoom({ channels: { maxChannelsPerConnection: 1, subscriptionsPerSecond: 0 } });
    const client = await rig.room.clients.next();

    await client.subscribe('user~7');
    await client.unsubscribe('user~7');
    await client.subscribe('user~8');

    expect(client.channels).toEqual(['user~8']);
  });

  it('rejects with unavailable when the connection is closing or has closed, and asks no broker', async () => {
    const observer = new RecordingObserver();
    const broker = memoryBroker();
    const asked = vi.spyOn(broker, 'subscribe');
    const rig = await startRoom({ channels: { broker, observers: [observer] } });
    const client = await rig.room.clients.next();

    client.close(1000);
    await expect(client.subscribe('room:1')).rejects.toMatchObject({ code: 'unavailable' });
    await observer.until(({ closes }) => closes.length === 1);
    await expect(rig.app.channels.subscribe(client, 'room:1')).rejects.toMatchObject({ code: 'unavailable' });

    expect(asked).not.toHaveBeenCalled();
    expect(await subscribersOf(rig)).toEqual([]);
    expect(rig.room.leaves.all).toEqual([]);
  });

  it('rejects with unavailable when the connection closes while it waits', async () => {
    const rig = await startRoom();
    ask(rig.client, '$subscribe', 'a');
    await rig.room.joins.next();
    const joining = rig.app.channels.subscribe(await rig.room.clients.next(), 'room:1');

    rig.client.terminate();

    await expect(joining).rejects.toMatchObject({ code: 'unavailable' });
  });
});

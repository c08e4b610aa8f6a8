import { WebSocketGateway } from '@nestjs/websockets';
import { SubscribeChannel } from 'nestjs-channels';
import type { TestClient } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { enter, framesOf, startRoom } from '../support/room.js';
import { startApp } from '../support/start-app.js';

const LIMIT_EXCEEDED = { code: 'limit_exceeded', retryable: false };
const RATE_LIMITED = { code: 'rate_limited', retryable: true, retryAfterMs: 1_000 };

/** Sends the command; its ack has the channel as id. */
function ask(client: TestClient, event: '$subscribe' | '$unsubscribe', channel: string): void {
  client.send({ event, id: channel, data: { channel } });
}

describe('maxChannelsPerConnection', () => {
  it('is 128 by default', async () => {
    @WebSocketGateway({ path: '/ws' })
    class OpenGateway {
      @SubscribeChannel('open:{name}')
      join(): void {}
    }
    const app = await startApp({ providers: [OpenGateway] });
    const client = await app.connect('/ws');
    const channels = Array.from({ length: 129 }, (_, at) => `open:${at}`);

    const acks = await Promise.all(channels.map((channel) => client.subscribe(channel)));

    expect(acks.slice(0, 128).filter(({ error }) => error)).toEqual([]);
    expect(acks[128]?.error).toMatchObject(LIMIT_EXCEEDED);
  });

  it('lets in as many channels as it says, and refuses one more', async () => {
    const rig = await startRoom({ channels: { maxChannelsPerConnection: 2 } });

    const acks = [await enter(rig, 'room:1'), await enter(rig, 'room:2')];
    const refused = await rig.client.subscribe('room:3');

    expect(acks.map(({ error }) => error)).toEqual([undefined, undefined]);
    expect(refused.error).toMatchObject(LIMIT_EXCEEDED);
    expect(rig.room.joins.all).toHaveLength(2);
  });

  it('counts those that are joining', async () => {
    const { client, room } = await startRoom({
      channels: { maxChannelsPerConnection: 1, subscriptionsPerSecond: 0 },
    });
    ask(client, '$subscribe', 'room:1');
    const call = await room.joins.next();

    const refused = await client.subscribe('room:2');
    call.resolve();

    expect(refused.error).toMatchObject(LIMIT_EXCEEDED);
    expect(await client.waitFor({ ack: 'room:1' })).toHaveProperty('data');
  });

  it('counts those that the server has joined', async () => {
    const rig = await startRoom({ channels: { maxChannelsPerConnection: 1, subscriptionsPerSecond: 0 } });
    await rig.app.channels.subscribe(await rig.room.clients.next(), 'of:the:server');

    const refused = await rig.client.subscribe('room:2');

    expect(refused.error).toMatchObject(LIMIT_EXCEEDED);
  });

  it('does not count a channel twice that is asked for again', async () => {
    const rig = await startRoom({ channels: { maxChannelsPerConnection: 1, subscriptionsPerSecond: 0 } });

    const acks = [await enter(rig, 'room:1'), await enter(rig, 'room:1')];

    expect(acks.map(({ error }) => error)).toEqual([undefined, undefined]);
  });

  it('has room again for what was left or refused', async () => {
    const rig = await startRoom({ channels: { maxChannelsPerConnection: 1, subscriptionsPerSecond: 0 } });
    await enter(rig, 'room:1');
    await rig.client.unsubscribe('room:1');
    const refused = rig.client.subscribe('room:2');
    (await rig.room.joins.next()).reject(new Error('no'));
    await refused;

    const ack = await enter(rig, 'room:3');

    expect(ack.error).toBeUndefined();
  });

  // A refused command was counted as under way for ever: after a few of them nothing was answered any more.
  it('takes commands after any number of refusals', async () => {
    const rig = await startRoom({ channels: { maxChannelsPerConnection: 1, subscriptionsPerSecond: 0 } });
    await enter(rig, 'room:1');
    for (let refusals = 0; refusals < 3; refusals++) await rig.client.subscribe('room:2');

    const ack = await rig.client.unsubscribe('room:1');

    expect(ack.data).toEqual({ channel: 'room:1' });
  });
});

describe('commands under way', () => {
  it('are at most twice maxChannelsPerConnection, waiting ones included', async () => {
    const { client, room } = await startRoom({
      channels: { maxChannelsPerConnection: 2, subscriptionsPerSecond: 0 },
    });
    ask(client, '$subscribe', 'room:1');
    const call = await room.joins.next();
    ask(client, '$subscribe', 'room:2');
    ask(client, '$unsubscribe', 'room:1');
    ask(client, '$unsubscribe', 'room:1');

    const refused = [await client.subscribe('room:1'), await client.unsubscribe('room:1')];
    call.resolve();
    (await room.joins.next()).resolve();

    expect(refused.map(({ error }) => error)).toMatchObject([RATE_LIMITED, RATE_LIMITED]);
    expect(await framesOf(client)).toHaveLength(6);
  });

  it('are 256 by default', async () => {
    const { client, room } = await startRoom();
    ask(client, '$subscribe', 'room:1');
    const call = await room.joins.next();
    for (let more = 1; more < 256; more++) ask(client, '$unsubscribe', 'room:1');

    const refused = await client.unsubscribe('room:1');
    const before = client.frames.length;
    call.resolve();

    expect(refused.error).toMatchObject(RATE_LIMITED);
    expect(before).toBe(1);
    expect(await framesOf(client)).toHaveLength(257);
  });

  it('are taken again when those before have been answered', async () => {
    const { client, room } = await startRoom({
      channels: { maxChannelsPerConnection: 1, subscriptionsPerSecond: 0 },
    });
    ask(client, '$subscribe', 'room:1');
    const call = await room.joins.next();
    ask(client, '$unsubscribe', 'room:1');
    await client.subscribe('room:1');
    call.resolve();
    await room.leaves.next();

    const ack = await enter({ client, room }, 'room:1');

    expect(ack.data).toEqual({ channel: 'room:1' });
  });
});

describe('a channel that was left', () => {
  it('is forgotten: it is as if the client had never been in', async () => {
    const rig = await startRoom({ channels: { maxChannelsPerConnection: 1, subscriptionsPerSecond: 0 } });
    await enter(rig, 'room:left');
    await rig.client.unsubscribe('room:left');
    ask(rig.client, '$subscribe', 'room:1');
    await rig.room.joins.next();
    ask(rig.client, '$unsubscribe', 'room:1');

    // No further command can wait; one for a channel that is not there has nothing to wait for.
    const answers = [
      await rig.client.unsubscribe('room:1'),
      await rig.client.unsubscribe('room:never'),
      await rig.client.unsubscribe('room:left'),
    ];

    expect(answers.map(({ error }) => error?.code)).toEqual([
      'rate_limited',
      'not_subscribed',
      'not_subscribed',
    ]);
  });
});

import { ChannelsError, type Observer } from 'nestjs-channels';
import { TestClock } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { RecordingObserver } from '../support/recording-observer.js';
import type { JoinCall } from '../support/room.gateway.js';
import { ask, enter, framesOf, publication, startRoom, type Room } from '../support/room.js';

describe('a @SubscribeChannel method that takes longer than handlerTimeoutMs', () => {
  async function startSlow(
    ...observers: readonly Observer[]
  ): Promise<Room & { readonly clock: TestClock; readonly call: JoinCall }> {
    const clock = new TestClock();
    const rig = await startRoom({ clock, channels: { handlerTimeoutMs: 5_000, observers } });
    ask(rig.client, '$subscribe', 'a');
    return { ...rig, clock, call: await rig.room.joins.next() };
  }

  it('is answered timeout, and its publications do not come', async () => {
    const { app, client, clock } = await startSlow();

    await clock.advance(4_500);
    const before = await framesOf(client);
    await clock.advance(500);
    const answer = await client.waitFor({ ack: 'a' });
    await app.channels.publish('room:1', 'message', 'not for us');

    expect(before).toEqual([]);
    expect(answer).toMatchObject({ error: { code: 'timeout', retryable: true } });
    expect(await framesOf(client)).toEqual([answer]);
    expect((await app.channels.subscribers('room:1')).subscribers).toEqual([]);
  });

  it('has joined and left when it succeeds after all', async () => {
    const { app, client, clock, room, call } = await startSlow();
    await clock.advance(5_000);
    await client.waitFor({ ack: 'a' });
    const before = [...room.leaves.all];

    call.resolve('too late');
    const left = await room.leaves.next();
    await app.channels.publish('room:1', 'message', 'not for us');

    expect(before).toEqual([]);
    expect(left).toEqual({ channel: 'room:1', reason: 'refused' });
    expect(await framesOf(client)).toHaveLength(1);
    expect(room.leaves.all).toHaveLength(1);
  });

  it('has not joined when it fails after all, which is reported', async () => {
    const observer = new RecordingObserver();
    const { client, clock, room, call } = await startSlow(observer);
    await clock.advance(5_000);
    await client.waitFor({ ack: 'a' });

    const failure = new Error('too late');
    call.reject(failure);
    await observer.until(({ failures }) => failures.length === 1);

    expect(await framesOf(client)).toHaveLength(1);
    expect(room.leaves.all).toEqual([]);
    expect(observer.failures).toEqual([{ where: '@SubscribeChannel room:1', error: failure }]);
  });

  it('does not stand in the way of the next join, which stays when the late one is left', async () => {
    const { app, client, clock, room, call } = await startSlow();
    await clock.advance(5_000);
    await client.waitFor({ ack: 'a' });
    await enter({ client, room }, 'room:1');

    call.resolve('too late');
    await room.leaves.next();
    await app.channels.publish('room:1', 'message', 'for us');

    expect((await framesOf(client)).at(-1)).toEqual(publication('room:1', 'for us'));
    expect(room.leaves.all).toEqual([{ channel: 'room:1', reason: 'refused' }]);
  });

  it('ends the subscription where it was asked for again', async () => {
    const clock = new TestClock();
    const rig = await startRoom({ clock, channels: { handlerTimeoutMs: 5_000 } });
    await enter(rig, 'room:1');
    ask(rig.client, '$subscribe', 'a');
    await rig.room.joins.next();

    await clock.advance(5_000);
    await rig.client.waitFor({ ack: 'a', error: { code: 'timeout' } });

    expect((await rig.app.channels.subscribers('room:1')).subscribers).toEqual([]);
    expect(await rig.room.leaves.next()).toEqual({ channel: 'room:1', reason: 'refused' });
  });

  it('is not one that throws a timeout of its own', async () => {
    const observer = new RecordingObserver();
    const { client, call } = await startSlow(observer);

    call.reject(new ChannelsError('timeout', 'the database took too long'));
    const answer = await client.waitFor({ ack: 'a' });

    expect(answer).toMatchObject({ error: { code: 'timeout', message: 'the database took too long' } });
    expect(observer.failures).toEqual([]);
  });
});

import { UseGuards, type CanActivate } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import { describe, expect, it } from 'vitest';
import { RoomGateway } from '../support/room.gateway.js';
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

describe('$subscribe while subscribed', () => {
  it('runs the method again and acks again', async () => {
    const rig = await startRoom();
    await enter(rig, 'room:1', 'one');

    const ack = await enter(rig, 'room:1', 'two');

    expect(ack.data).toEqual({ channel: 'room:1', data: 'two' });
    expect(rig.room.joins.all).toHaveLength(2);
  });

  it('holds publications back until its ack, and loses none', async () => {
    const rig = await startRoom();
    ask(rig.client, '$subscribe', 'a');
    (await rig.room.joins.next()).resolve();
    await publish(rig, 1);
    await rig.client.waitFor({ data: 1 });
    ask(rig.client, '$subscribe', 'b');
    const call = await rig.room.joins.next();

    await publish(rig, 2);
    const before = await framesOf(rig.client);
    call.resolve();
    await rig.client.waitFor({ ack: 'b' });
    await publish(rig, 3);

    expect(before).toEqual([acked('a'), publication('room:1', 1)]);
    expect((await framesOf(rig.client)).slice(2)).toEqual([
      acked('b'),
      publication('room:1', 2),
      publication('room:1', 3),
    ]);
  });

  it('waits for the first one where that is pending, and loses none between the two', async () => {
    const rig = await startRoom();
    ask(rig.client, '$subscribe', 'a');
    const first = await rig.room.joins.next();
    ask(rig.client, '$subscribe', 'b');

    await publish(rig, 1);
    const before = [await framesOf(rig.client), rig.room.joins.all.length];
    first.resolve('one');
    const second = await rig.room.joins.next();
    await publish(rig, 2);
    second.resolve('two');
    await rig.client.waitFor({ ack: 'b' });

    expect(before).toEqual([[], 1]);
    expect(await framesOf(rig.client)).toEqual([
      acked('a', 'one'),
      publication('room:1', 1),
      acked('b', 'two'),
      publication('room:1', 2),
    ]);
  });

  it('ends the subscription where it is refused: the error ack tells it, and nothing else comes', async () => {
    const rig = await startRoom();
    await enter(rig, 'room:1');
    ask(rig.client, '$subscribe', 'b');
    const call = await rig.room.joins.next();

    await publish(rig, 'held back');
    call.reject(new Error('no longer'));
    await rig.client.waitFor({ ack: 'b' });
    await publish(rig, 'too late');
    const ack = await rig.client.unsubscribe('room:1');

    expect((await framesOf(rig.client)).slice(1, -1)).toMatchObject([
      { ack: 'b', error: { code: 'internal' } },
    ]);
    expect(ack.error).toMatchObject({ code: 'not_subscribed' });
    expect(await subscribersOf(rig)).toEqual([]);
  });

  it('runs the guards again', async () => {
    let member = true;
    class MemberGuard implements CanActivate {
      canActivate(): boolean {
        return member;
      }
    }
    @WebSocketGateway({ path: '/guarded' })
    @UseGuards(MemberGuard)
    class GuardedGateway extends RoomGateway {}
    const { app } = await startRoom({ providers: [GuardedGateway] });
    const [client, room] = [await app.connect('/guarded'), app.nest.get(GuardedGateway)];
    await enter({ client, room }, 'room:1');

    member = false;
    const { error } = await client.subscribe('room:1');
    await publish({ app }, 'secret');

    expect(error).toEqual({ code: 'forbidden', message: 'Forbidden resource', retryable: false });
    expect(await framesOf(client)).toHaveLength(2);
  });

  it('does not resend what was sent before its ack', async () => {
    const rig = await startRoom();
    await enter(rig, 'room:1');
    await publish(rig, 1);

    await enter(rig, 'room:1');

    const publications = (await framesOf(rig.client)).filter((frame) => 'channel' in (frame as object));
    expect(publications).toEqual([publication('room:1', 1)]);
  });
});

describe('$unsubscribe during a pending $subscribe', () => {
  it('wins: acked behind it, with nothing of the channel in between or after', async () => {
    const rig = await startRoom();
    ask(rig.client, '$subscribe', 'a');
    const call = await rig.room.joins.next();
    ask(rig.client, '$unsubscribe', 'b');

    await publish(rig, 'held back');
    await rig.client.request('$ping');
    call.resolve('state');
    await rig.client.waitFor({ ack: 'b' });
    await publish(rig, 'too late');

    expect((await framesOf(rig.client)).slice(1)).toEqual([acked('a', 'state'), acked('b')]);
    expect(await rig.room.leaves.next()).toEqual({ channel: 'room:1', reason: 'unsubscribed' });
    expect(rig.room.leaves.all).toHaveLength(1);
    expect(rig.room.joins.all).toHaveLength(1);
    expect(await subscribersOf(rig)).toEqual([]);
  });

  it('is not_subscribed where the $subscribe is refused', async () => {
    const rig = await startRoom();
    ask(rig.client, '$subscribe', 'a');
    const call = await rig.room.joins.next();
    ask(rig.client, '$unsubscribe', 'b');

    await rig.client.request('$ping');
    call.reject(new Error('no'));
    await rig.client.waitFor({ ack: 'b' });

    expect((await framesOf(rig.client)).slice(1)).toMatchObject([
      { ack: 'a', error: { code: 'internal' } },
      { ack: 'b', error: { code: 'not_subscribed' } },
    ]);
    expect(rig.room.leaves.all).toEqual([]);
  });

  it('wins over a repeated one, too', async () => {
    const rig = await startRoom();
    await enter(rig, 'room:1');
    ask(rig.client, '$subscribe', 'a');
    const call = await rig.room.joins.next();
    ask(rig.client, '$unsubscribe', 'b');

    await publish(rig, 'held back');
    await rig.client.request('$ping');
    call.resolve();
    await rig.client.waitFor({ ack: 'b' });

    expect((await framesOf(rig.client)).slice(2)).toEqual([acked('a'), acked('b')]);
    expect(rig.room.leaves.all.map(({ reason }) => reason)).toEqual(['replaced', 'unsubscribed']);
  });
});

describe('commands of one channel in one packet', () => {
  it('run one after the other, in the order of arrival', async () => {
    const rig = await startRoom();
    const proxy = await rig.app.proxy();
    const client = await rig.app.connectTo(proxy.url('/ws'));
    // What is sent into the black hole arrives at once when it heals.
    proxy.blackHole();
    ask(client, '$subscribe', 'a');
    ask(client, '$unsubscribe', 'b');
    ask(client, '$subscribe', 'c');
    proxy.heal();

    (await rig.room.joins.next()).resolve('one');
    const second = await rig.room.joins.next();
    await publish(rig, 'for the second');
    second.resolve('two');
    await client.waitFor({ ack: 'c' });

    expect(await framesOf(client)).toEqual([
      acked('a', 'one'),
      acked('b'),
      acked('c', 'two'),
      publication('room:1', 'for the second'),
    ]);
    expect(rig.room.leaves.all).toEqual([{ channel: 'room:1', reason: 'unsubscribed' }]);
    expect(await subscribersOf(rig)).toHaveLength(1);
  });

  it('are each answered, whatever they ask for', async () => {
    const rig = await startRoom();
    ask(rig.client, '$subscribe', 'a');
    ask(rig.client, '$unsubscribe', 'b');
    ask(rig.client, '$unsubscribe', 'c');
    ask(rig.client, '$subscribe', 'd');
    ask(rig.client, '$subscribe', 'e');

    for (let joins = 0; joins < 3; joins++) (await rig.room.joins.next()).resolve();
    await rig.client.waitFor({ ack: 'e' });

    expect(await framesOf(rig.client)).toMatchObject([
      acked('a'),
      acked('b'),
      { ack: 'c', error: { code: 'not_subscribed' } },
      acked('d'),
      acked('e'),
    ]);
  });
});

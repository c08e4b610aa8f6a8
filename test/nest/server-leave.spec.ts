import { describe, expect, it } from 'vitest';
import { acked, ask, enter, framesOf, publish, startRoom } from '../support/room.js';

function unsubscribed(told: object = {}): object {
  return { event: '$unsubscribed', data: { channel: 'room:1', ...told } };
}

describe('a leave by the server', () => {
  it('tells $unsubscribed with its code and reason, and nothing of the channel follows', async () => {
    const rig = await startRoom();
    const client = await rig.room.clients.next();
    await enter(rig, 'room:1');

    const reason = { code: 'forbidden', reason: 'banned by a moderator' } as const;
    await rig.app.channels.unsubscribe(client, 'room:1', reason);
    await publish(rig, 'too late');
    const { error } = await rig.client.unsubscribe('room:1');

    expect((await framesOf(rig.client)).slice(1, -1)).toEqual([unsubscribed(reason)]);
    expect(error).toMatchObject({ code: 'not_subscribed' });
    expect(client.channels).toEqual([]);
  });

  it('tells nothing where the client is not in', async () => {
    const rig = await startRoom();
    const client = await rig.room.clients.next();

    await rig.app.channels.unsubscribe(client, 'room:1');
    await client.unsubscribe('no name at all');

    expect(await framesOf(rig.client)).toEqual([]);
  });

  it('wins over a pending $subscribe: it follows the ack, with nothing of the channel in between', async () => {
    const rig = await startRoom();
    const client = await rig.room.clients.next();
    ask(rig.client, '$subscribe', 'a');
    const call = await rig.room.joins.next();

    const leaving = client.unsubscribe('room:1', { reason: 'closed' });
    await publish(rig, 'held back');
    call.resolve('state');
    await leaving;
    await publish(rig, 'too late');

    expect(await framesOf(rig.client)).toEqual([acked('a', 'state'), unsubscribed({ reason: 'closed' })]);
    expect(rig.room.leaves.all).toEqual([{ channel: 'room:1', reason: 'removed' }]);
  });

  it('tells nothing where the pending $subscribe is refused', async () => {
    const rig = await startRoom();
    const client = await rig.room.clients.next();
    ask(rig.client, '$subscribe', 'a');
    const call = await rig.room.joins.next();

    const leaving = client.unsubscribe('room:1');
    call.reject(new Error('no'));
    await leaving;

    expect(await framesOf(rig.client)).toMatchObject([{ ack: 'a', error: { code: 'internal' } }]);
  });

  it('resolves where the connection closes while it waits', async () => {
    const rig = await startRoom();
    const client = await rig.room.clients.next();
    ask(rig.client, '$subscribe', 'a');
    await rig.room.joins.next();

    const leaving = client.unsubscribe('room:1');
    rig.client.terminate();

    await expect(leaving).resolves.toBeUndefined();
  });
});

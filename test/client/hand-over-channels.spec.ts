import { describe, expect, it } from 'vitest';
import { watched } from './client-rig.js';
import type { FakePeer } from './fake-server.js';
import { joined, subscribes } from './hand-over-rig.js';

describe('the channels of a client whose server goes away', () => {
  it('keeps a channel on the old connection that the new server has no time for yet', async () => {
    const handover = await joined(['chat:a']);
    const { rig, old } = handover;
    rig.server.onSubscribe = () => ({
      error: { code: 'rate_limited', message: 'wait', retryable: true, retryAfterMs: 1_000 },
    });

    await handover.begin(100);
    old.send({ channel: 'chat:a', event: 'message', data: 'meanwhile' });
    await rig.pass();
    rig.server.onSubscribe = ({ channel }) => ({ data: { channel } });
    await rig.pass(2_000);

    expect(handover.heard).toEqual(['meanwhile']);
    expect(old.closedBy?.code).toBe(1000);
  });

  it('takes the channels over that the new server joins by itself', async () => {
    const handover = await joined([]);
    const { rig, old } = handover;
    rig.client.channel('user:ada', { subscribe: false }).on('note', (data) => handover.heard.push(data));
    const join = (peer: FakePeer): void => peer.send({ event: '$subscribed', data: { channel: 'user:ada' } });
    const note = (peer: FakePeer, data: string): void =>
      peer.send({ channel: 'user:ada', event: 'note', data });
    join(old);
    await rig.pass();

    await handover.begin();
    note(old, 'one');
    await rig.pass();
    const { closedBy } = old;
    join(handover.fresh);
    note(handover.fresh, 'two');
    note(old, 'late');
    await rig.pass();

    expect(closedBy).toBeUndefined();
    expect(handover.heard).toEqual(['one', 'two']);
    expect(old.closedBy?.code).toBe(1000);
  });

  it('hears by the old one what the new one has joined and lost before it was welcomed', async () => {
    const handover = await joined([]);
    const { rig, old } = handover;
    rig.client.channel('user:ada', { subscribe: false }).on('note', (data) => handover.heard.push(data));
    old.send({ event: '$subscribed', data: { channel: 'user:ada' } });
    await rig.pass();
    rig.server.onHello = (peer) => {
      peer.send({ event: '$subscribed', data: { channel: 'user:ada' } });
      peer.close(1_011);
      return undefined;
    };

    await handover.begin();
    old.send({ channel: 'user:ada', event: 'note', data: 'still here' });
    await rig.pass();

    expect(handover.heard).toEqual(['still here']);
    expect(old.closedBy).toBeUndefined();
  });

  it('takes over what the new one has joined before its welcome', async () => {
    const handover = await joined([]);
    const { rig, old } = handover;
    rig.client.channel('user:ada', { subscribe: false }).on('note', (data) => handover.heard.push(data));
    old.send({ event: '$subscribed', data: { channel: 'user:ada' } });
    await rig.pass();
    rig.server.onHello = (peer) => {
      peer.send({ event: '$subscribed', data: { channel: 'user:ada' } });
      peer.send({ channel: 'user:ada', event: 'note', data: 'early' });
      return { data: rig.server.welcome() };
    };

    await handover.begin();

    expect(handover.heard).toEqual(['early']);
    expect(old.closedBy?.code).toBe(1_000);
  });

  it('asks the new one who is there where the old one has not answered', async () => {
    const handover = await joined(['chat:a']);
    const { rig } = handover;
    const asked = watched(rig.client.channel('chat:a').presence());
    await rig.pass();

    await handover.begin(20);
    const [question] = handover.fresh.of('$presence');
    handover.fresh.send({ ack: question?.id, data: { members: [], count: 0, more: false } });
    await rig.pass();

    expect(asked.value).toEqual({ members: [], count: 0, more: false });
  });

  it('does not join for a question what only the server joins', async () => {
    const handover = await joined([]);
    const { rig, old } = handover;
    const channel = rig.client.channel('user:ada', { subscribe: false });
    channel.on('note', () => undefined);
    old.send({ event: '$subscribed', data: { channel: 'user:ada' } });
    await rig.pass();

    await handover.begin();
    const asked = watched(channel.presence());
    await rig.pass();
    const before = handover.said(handover.fresh);
    handover.fresh.send({ event: '$subscribed', data: { channel: 'user:ada' } });
    await rig.pass();
    const [question] = handover.fresh.of('$presence');
    handover.fresh.send({ ack: question?.id, data: { members: [], count: 0, more: false } });
    await rig.pass();

    expect(before).toEqual([]);
    expect(asked.state).toBe('resolved');
    expect(subscribes(handover.fresh)).toEqual([]);
  });

  it('goes on by the old one while the new one has no time, and asks it no sooner than it may', async () => {
    const handover = await joined([]);
    const { rig, old } = handover;
    rig.server.onSubscribe = ({ channel }) => ({ data: { channel, epoch: 'e', offset: 0 } });
    rig.client.channel('chat:a').on('message', (data) => handover.heard.push(data));
    await rig.pass();
    rig.server.onSubscribe = () => ({
      error: { code: 'rate_limited', message: 'wait', retryable: true, retryAfterMs: 60_000 },
    });

    await handover.begin();
    for (let offset = 1; offset <= 20; offset++) {
      old.send({ channel: 'chat:a', event: 'message', data: offset, offset });
      await rig.pass();
    }

    expect(handover.heard).toEqual(Array.from({ length: 20 }, (_, at) => at + 1));
    expect(subscribes(handover.fresh)).toHaveLength(1);
  });
});

import { describe, expect, it } from 'vitest';
import type { FakePeer } from './fake-server.js';
import { joined, subscribes } from './hand-over-rig.js';

describe('a client whose server goes away', () => {
  it('joins its channels by a new connection before it leaves the old one', async () => {
    const handover = await joined(['chat:a', 'chat:b']);
    const { rig, old } = handover;
    const acks: (() => void)[] = [];
    rig.server.onSubscribe = () => undefined;

    await handover.begin();
    const isOld = old.closedBy;
    for (const frame of subscribes(handover.fresh)) {
      acks.push(() => handover.fresh.send({ ack: frame.id, data: { channel: frame.data.channel } }));
    }
    acks[0]?.();
    await rig.pass();
    const isHalf = old.closedBy;
    acks[1]?.();
    await rig.pass();

    expect([isOld, isHalf, old.closedBy]).toEqual([undefined, undefined, { code: 1000, reason: '' }]);
    expect(rig.states.map(({ name }) => name)).toEqual(['connecting', 'open']);
    expect(handover.heard).toEqual([]);
  });

  it('hears of a channel by the old connection until the new one has joined it, and not after', async () => {
    const handover = await joined(['chat:a', 'chat:b']);
    const { rig, old } = handover;
    rig.server.onSubscribe = () => undefined;
    const publish = (peer: FakePeer, data: string): void =>
      peer.send({ channel: 'chat:a', event: 'message', data });

    await handover.begin();
    publish(old, 'before');
    const [first] = subscribes(handover.fresh);
    await rig.pass();
    handover.fresh.send({ ack: first?.id, data: { channel: 'chat:a' } });
    await rig.pass();
    publish(old, 'late');
    publish(handover.fresh, 'after');
    await rig.pass();

    expect(handover.heard).toEqual(['before', 'after']);
  });

  it('goes on from its position, without a hole and without a copy', async () => {
    const handover = await joined([]);
    const { rig, old } = handover;
    rig.server.onSubscribe = ({ channel }) => ({ data: { channel, epoch: 'e', offset: 4 } });
    rig.client.channel('chat:a').on('message', (data) => handover.heard.push(data));
    rig.client.on('$gap', ({ reason }) => handover.heard.push(reason));
    await rig.pass();
    const publish = (peer: FakePeer, offset: number): void =>
      peer.send({ channel: 'chat:a', event: 'message', data: offset, offset });
    rig.server.onSubscribe = () => undefined;
    publish(old, 5);

    await handover.begin();
    publish(old, 6);
    await rig.pass();
    const [again] = subscribes(handover.fresh);
    handover.fresh.send({
      ack: again?.id,
      data: { channel: 'chat:a', epoch: 'e', offset: 5, recovered: true },
    });
    publish(handover.fresh, 6);
    publish(old, 7);
    publish(handover.fresh, 7);
    await rig.pass();

    expect(again?.data.since).toEqual({ epoch: 'e', offset: 5 });
    expect(handover.heard).toEqual([5, 6, 7]);
  });

  it('tells a gap where the new server does not have what comes next', async () => {
    const handover = await joined([]);
    const { rig } = handover;
    rig.server.onSubscribe = ({ channel }) => ({
      data: { channel, epoch: `e${rig.server.peers.length}`, offset: 4 },
    });
    rig.client.channel('chat:a').on('$gap', ({ reason }) => handover.heard.push(reason));
    rig.client.channel('chat:a').on('message', () => undefined);
    await rig.pass();

    await handover.begin(20);

    expect(handover.heard).toEqual(['rejoined']);
    expect(handover.old.closedBy?.code).toBe(1000);
  });

  it('waits on the old connection for what is in flight, and sends what comes then by the new one', async () => {
    const handover = await joined([]);
    const { rig, old } = handover;
    const first = rig.send('order', 1);
    await rig.pass();

    await handover.begin();
    const second = rig.send('order', 2);
    await rig.pass();
    const held = [handover.said(handover.fresh), old.closedBy];
    old.send({ ack: old.messages[0]?.id, data: 'one' });
    await rig.pass();
    handover.fresh.send({ ack: handover.fresh.messages[0]?.id, data: 'two' });
    await rig.pass();

    expect(held).toEqual([[], undefined]);
    expect([first.value, second.value]).toEqual(['one', 'two']);
    expect([old.messages.length, handover.fresh.messages.length]).toEqual([1, 1]);
    expect(old.closedBy?.code).toBe(1000);
  });

  it('sends again by the new connection what the old one has taken with it', async () => {
    const handover = await joined(['chat:a']);
    const { rig, old } = handover;
    const sent = rig.send('order', 1);
    await rig.pass();
    await handover.begin();

    old.close(1012, '');
    await rig.pass();

    const [first] = old.messages;
    expect(handover.fresh.messages).toEqual([first]);
    expect(sent.state).toBe('pending');
    expect(rig.states.map(({ name }) => name)).toEqual(['connecting', 'open']);
  });

  it('stays where it is while the new connection is refused, and tries again', async () => {
    const handover = await joined(['chat:a']);
    const { rig, old } = handover;
    rig.server.reception = { code: 1013 };

    await handover.begin(100);
    old.send({ channel: 'chat:a', event: 'message', data: 'here' });
    const sent = rig.send('order', 1);
    await rig.pass();
    old.send({ ack: old.messages[0]?.id, data: 'done' });
    await rig.pass();
    const whileRefused = [...handover.heard, sent.value, rig.client.state.name, old.closedBy];
    rig.server.reception = 'accept';
    await rig.pass(60_000);

    expect(whileRefused).toEqual(['here', 'done', 'open', undefined]);
    expect(old.closedBy?.code).toBe(1000);
    expect(rig.states.map(({ name }) => name)).toEqual(['connecting', 'open']);
  });

  it.each([
    ['is refused again and again', { code: 1_013 }],
    ['hangs', 'hang'],
  ] as const)(
    'comes back as from any loss when the old one ends while the new one %s',
    async (_, reception) => {
      const handover = await joined(['chat:a']);
      const { rig, old } = handover;
      rig.server.reception = reception;
      await handover.begin(100);

      old.close(1_012, '');
      await rig.pass();
      const { name, code } = rig.client.state;
      rig.server.reception = 'accept';
      await rig.pass(60_000);

      expect([name, code]).toEqual(['waiting', 1_012]);
      expect(rig.client.state.name).toBe('open');
      // The refused ones are peers, too.
      expect(subscribes(rig.server.peer).map(({ data }) => data.channel)).toEqual(['chat:a']);
      expect(rig.server.peers.filter(({ isOver }) => !isOver)).toEqual([rig.server.peer]);
      expect(handover.heard).toEqual(['gap rejoined']);
    },
  );

  it('answers a request where it was asked', async () => {
    const handover = await joined([]);
    const { rig, old } = handover;
    let answer: (value: string) => void = () => undefined;
    rig.client.handle('ask', () => new Promise<string>((resolve) => (answer = resolve)));
    old.send({ event: 'ask', id: 'q1' });
    await rig.pass();

    await handover.begin();
    const { closedBy } = old;
    answer('yes');
    await rig.pass();

    expect(closedBy).toBeUndefined();
    expect(old.answers).toEqual([{ ack: 'q1', data: 'yes' }]);
    expect(old.closedBy?.code).toBe(1000);
  });

  it('begins anew where the new server takes it for somebody else', async () => {
    const handover = await joined(['chat:a']);
    const { rig, old } = handover;
    const sent = rig.send('order', 1);
    await rig.pass();
    rig.server.principal = 'bob';

    await handover.begin(20);

    expect(sent.error).toMatchObject({ code: 'principal_changed' });
    expect(old.closedBy?.code).toBe(1000);
    expect(subscribes(handover.fresh).map(({ data }) => data)).toEqual([{ channel: 'chat:a' }]);
  });

  it.each(['close', 'reset'] as const)(
    'sends nothing any more of what waited for the old one: %s',
    async (how) => {
      const handover = await joined([]);
      const { rig, old } = handover;
      const sent = rig.send('order', 1);
      await rig.pass();
      await handover.begin();
      const held = rig.send('order', 2);

      rig.client[how]();
      await rig.pass();

      expect([old.closedBy?.code, handover.fresh.closedBy?.code]).toEqual([1_000, 1_000]);
      expect(handover.fresh.messages).toEqual([]);
      const code = how === 'close' ? 'closed' : 'principal_changed';
      expect([sent.error, held.error]).toEqual([
        expect.objectContaining({ code }),
        expect.objectContaining({ code }),
      ]);
    },
  );

  it('gives up a new connection that is not there yet when it closes', async () => {
    const handover = await joined([]);
    const { rig } = handover;
    rig.server.onHello = () => undefined;
    await handover.begin();

    rig.client.close();
    await rig.pass(60_000);

    expect(handover.fresh.closedBy?.code).toBe(1000);
    expect(rig.server.attempts).toHaveLength(2);
  });

  it('loses the new connection as any other, and the old one with it', async () => {
    const handover = await joined(['chat:a']);
    const { rig, old } = handover;
    rig.send('order', 1);
    await rig.pass();
    await handover.begin();

    handover.fresh.cut();
    await rig.pass();

    expect(old.closedBy?.code).toBe(1000);
    expect(rig.client.state.name).toBe('waiting');
    await rig.comeBack();
    expect(rig.server.peer.messages.map(({ event }) => event)).toEqual(['order']);
  });

  it('does not wait for a stream, which goes on where it has begun', async () => {
    const handover = await joined([]);
    const { rig, old } = handover;
    const items: unknown[] = [];
    rig.send('watch', undefined, { onItem: (item) => items.push(item) });
    await rig.pass();
    old.send({ ack: old.messages[0]?.id, data: 1, more: true });
    await rig.pass();

    await handover.begin();
    rig.send('order', 1);
    await rig.pass();
    old.send({ ack: old.messages[0]?.id, data: 2, more: true });
    await rig.pass();

    expect(handover.fresh.messages.map(({ event }) => event)).toEqual(['order']);
    expect(items).toEqual([1, 2]);
    expect(old.closedBy).toBeUndefined();
  });

  it('leaves the old one when what it waited for is given up', async () => {
    const handover = await joined([]);
    const { rig, old } = handover;
    rig.send('order', 1, { timeoutMs: 100 });
    await rig.pass();

    await handover.begin();
    const { closedBy } = old;
    await rig.pass(200);

    expect(closedBy).toBeUndefined();
    expect(old.closedBy?.code).toBe(1_000);
  });
});

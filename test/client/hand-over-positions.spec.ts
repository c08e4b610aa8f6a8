import { describe, expect, it } from 'vitest';
import { joined, subscribes, type Handover } from './hand-over-rig.js';

const EPOCH = 'e';

/** A client that stands at 5 of a channel with a history, and has asked the next server to go on from there. */
async function moving(): Promise<Handover> {
  const handover = await joined([]);
  const { rig } = handover;
  rig.server.onSubscribe = ({ channel }) => ({ data: { channel, epoch: EPOCH, offset: 5 } });
  rig.client.channel('chat:a').on('message', (data) => handover.heard.push(data));
  rig.client.channel('chat:a').on('$gap', ({ reason }) => handover.heard.push(`gap ${reason}`));
  await rig.pass();
  rig.server.onSubscribe = () => undefined;
  await handover.begin();
  return handover;
}

/** What the old server publishes meanwhile. */
async function publish({ rig, old }: Handover, offset: number): Promise<void> {
  old.send({ channel: 'chat:a', event: 'message', data: offset, offset });
  await rig.pass();
}

/** The answer to what the next server was asked last. */
async function ack({ rig, fresh }: Handover, offset: number, recovered: boolean): Promise<void> {
  const data = { channel: 'chat:a', epoch: EPOCH, offset, recovered };
  fresh.send({ ack: subscribes(fresh).at(-1)?.id, data });
  await rig.pass();
}

const asked = ({ fresh }: Handover): unknown[] =>
  subscribes(fresh).map(
    ({ data }) => (data as { readonly since?: { readonly offset: number } }).since?.offset,
  );

describe('a channel that has got further by the old connection than the next server was asked from', () => {
  it('is recovered where that one has no more than the client', async () => {
    const handover = await moving();
    const { rig, fresh } = handover;

    await publish(handover, 6);
    await publish(handover, 7);
    await ack(handover, 6, false);
    for (const offset of [7, 8]) fresh.send({ channel: 'chat:a', event: 'message', data: offset, offset });
    await rig.pass();

    expect(asked(handover)).toEqual([5]);
    expect(handover.heard).toEqual([6, 7, 8]);
  });

  it('is asked for once more, from where it is', async () => {
    const handover = await moving();

    await publish(handover, 6);
    await ack(handover, 8, false);
    await ack(handover, 6, true);

    expect(asked(handover)).toEqual([5, 6]);
    expect(handover.heard).toEqual([6]);
    expect(handover.old.closedBy?.code).toBe(1_000);
  });

  it('has a gap where it is faster than what it keeps', async () => {
    const handover = await moving();

    await publish(handover, 6);
    await ack(handover, 8, false);
    await publish(handover, 7);
    await ack(handover, 10, false);

    expect(asked(handover)).toEqual([5, 6]);
    expect(handover.heard).toEqual([6, 7, 'gap rejoined']);
  });

  it('has a gap where that one has lost some', async () => {
    const handover = await moving();

    await publish(handover, 6);
    await ack(handover, 2, false);
    await ack(handover, 2, false);

    expect(asked(handover)).toEqual([5, 6]);
    expect(handover.heard).toEqual([6, 'gap rejoined']);
  });

  it('has a gap where that one keeps nothing', async () => {
    const handover = await moving();
    const { rig, fresh } = handover;

    await publish(handover, 6);
    for (let at = 0; at < 2; at++) {
      fresh.send({ ack: subscribes(fresh).at(-1)?.id, data: { channel: 'chat:a', recovered: false } });
      await rig.pass();
    }

    expect(handover.heard).toEqual([6, 'gap rejoined']);
  });
});

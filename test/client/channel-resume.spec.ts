import { expect, it } from 'vitest';
import { ClientRig } from './client-rig.js';
import type { Answer } from './fake-server.js';

interface Position {
  readonly epoch: string;
  readonly offset: number;
}

/** A client in a channel with history, on a server that answers joins as the test says. */
class History {
  readonly told: unknown[] = [];
  readonly asked: (Position | undefined)[] = [];
  ack: object = { epoch: 'e1', offset: 3 };
  /** Sent right behind the ack. */
  replay: readonly number[] = [];

  private constructor(readonly rig: ClientRig) {
    const { server, client } = rig;
    server.onSubscribe = ({ channel, since }: { channel: string; since?: Position }): Answer => {
      this.asked.push(since);
      const { replay } = this;
      queueMicrotask(() => this.publish(...replay));
      return { data: { channel, ...this.ack } };
    };
    const news = client.channel('news');
    news.on('said', (data) => this.told.push(data));
    news.on('$gap', ({ reason }) => this.told.push(`gap: ${reason}`));
  }

  static async open(): Promise<History> {
    const history = new History(await ClientRig.open());
    await history.rig.pass();
    return history;
  }

  publish(...offsets: readonly number[]): void {
    for (const offset of offsets)
      this.rig.server.peer.send({ channel: 'news', event: 'said', data: offset, offset });
  }

  /** Loses the connection, and comes back to a server that answers so. */
  async comeBack(ack: object, ...replay: readonly number[]): Promise<void> {
    this.ack = ack;
    this.replay = replay;
    await this.rig.reconnect();
    await this.rig.pass();
  }
}

it('goes on from the last publication that it has handed out', async () => {
  const history = await History.open();
  history.publish(4, 5);
  await history.rig.pass();

  await history.comeBack({ epoch: 'e1', offset: 5, recovered: true }, 6, 7);

  expect(history.asked).toEqual([undefined, { epoch: 'e1', offset: 5 }]);
  expect(history.told).toEqual([4, 5, 6, 7]);
});

it('tells a gap where the server cannot recover, and follows it from where it stands', async () => {
  const history = await History.open();

  await history.comeBack({ epoch: 'e2', offset: 9, recovered: false });
  history.publish(10);
  await history.rig.pass();
  await history.comeBack({ epoch: 'e2', offset: 10, recovered: true }, 11);

  expect(history.told).toEqual(['gap: rejoined', 10, 11]);
  expect(history.asked.slice(1)).toEqual([
    { epoch: 'e1', offset: 3 },
    { epoch: 'e2', offset: 10 },
  ]);
});

it('hands nothing out twice', async () => {
  const history = await History.open();

  history.publish(4, 4, 3, 5, 4);
  await history.rig.pass();

  expect(history.told).toEqual([4, 5]);
});

it('asks again from before a hole, and hands out nothing of what comes meanwhile', async () => {
  const history = await History.open();
  history.publish(4);
  await history.rig.pass();
  history.ack = { epoch: 'e1', offset: 4, recovered: true };
  history.replay = [5, 6, 7, 8];

  history.publish(6, 7);
  await history.rig.pass(10);

  expect(history.asked).toEqual([undefined, { epoch: 'e1', offset: 4 }]);
  expect(history.told).toEqual([4, 5, 6, 7, 8]);
});

it('takes what its server has dropped for no hole, and tells of it', async () => {
  const history = await History.open();
  const { server, client } = history.rig;
  const dropped: unknown[] = [];
  client.channel('news').on('$dropped', (count) => dropped.push(count));
  client.channel('news').on('said', (_, publication) => dropped.push(publication.dropped));

  history.publish(4);
  server.peer.send({ channel: 'news', event: 'said', data: 7, offset: 7, dropped: 2 });
  history.publish(8);
  await history.rig.pass(10);

  expect(history.told).toEqual([4, 7, 8]);
  expect(dropped).toEqual([undefined, 2, 2, undefined]);
  expect(history.asked).toHaveLength(1);
});

it.each([1, 3])('asks again where not what was dropped is missing: %i instead of 2', async (dropped) => {
  const history = await History.open();
  history.publish(4);
  await history.rig.pass();
  history.ack = { epoch: 'e1', offset: 4, recovered: true };
  history.replay = [5, 6, 7];

  history.rig.server.peer.send({ channel: 'news', event: 'said', data: 7, offset: 7, dropped });
  await history.rig.pass(10);

  expect(history.asked).toEqual([undefined, { epoch: 'e1', offset: 4 }]);
  expect(history.told).toEqual([4, 5, 6, 7]);
});

it('tells a gap where a hole cannot be filled', async () => {
  const history = await History.open();
  history.ack = { epoch: 'e1', offset: 6, recovered: false };

  history.publish(6);
  await history.rig.pass(10);
  history.publish(7);
  await history.rig.pass();

  expect(history.told).toEqual(['gap: rejoined', 7]);
});

it('goes on behind a gap that the server tells', async () => {
  const history = await History.open();

  history.rig.server.peer.send({ event: '$gap', data: { channel: 'news', epoch: 'e2', offset: 7 } });
  history.publish(8);
  await history.rig.pass();

  expect(history.told).toEqual(['gap: lost', 8]);
  expect(history.asked).toHaveLength(1);
});

it('asks for the state of now where subscribe() is called', async () => {
  const history = await History.open();

  void history.rig.client.channel('news').subscribe();
  await history.rig.pass();

  expect(history.asked).toEqual([undefined, undefined]);
  expect(history.told).toEqual([]);
});

it('tells a gap where a connection ends under a second subscribe()', async () => {
  const history = await History.open();
  history.rig.server.onSubscribe = () => undefined;
  const joined = history.rig.client.channel('news').subscribe();
  await history.rig.pass();
  history.rig.server.onSubscribe = ({ channel }) => ({
    data: { channel, epoch: 'e2', offset: 0, recovered: false },
  });
  await history.rig.reconnect();
  await joined;

  expect(history.told).toEqual(['gap: rejoined']);
});

it('forgets where it was with another user', async () => {
  const history = await History.open();
  history.rig.server.principal = 'bob';

  await history.comeBack({ epoch: 'e1', offset: 3 });

  expect(history.asked).toEqual([undefined, undefined]);
});

it('forgets where it was when it has left', async () => {
  const history = await History.open();
  const news = history.rig.client.channel('news');
  news.unsubscribe();
  await history.rig.pass();

  news.on('said', () => undefined);
  await history.rig.pass();

  expect(history.asked).toEqual([undefined, undefined]);
});

it('tells a gap where the server has joined it elsewhere than it was', async () => {
  const rig = await ClientRig.open();
  const told: unknown[] = [];
  const inbox = rig.client.channel('inbox', { subscribe: false });
  inbox.on('said', (data) => told.push(data));
  inbox.on('$gap', ({ reason }) => told.push(`gap: ${reason}`));
  const joinedAt = async (offset: number): Promise<void> => {
    rig.server.peer.send({ event: '$subscribed', data: { channel: 'inbox', epoch: 'e', offset } });
    rig.server.peer.send({ channel: 'inbox', event: 'said', data: offset + 1, offset: offset + 1 });
    await rig.pass();
  };

  await joinedAt(1);
  await rig.reconnect();
  await joinedAt(2);
  await rig.reconnect();
  await joinedAt(5);

  expect(told).toEqual([2, 3, 'gap: rejoined', 6]);
});

it('tells one gap where the server tells of it while the channel is joined again', async () => {
  const history = await History.open();
  history.ack = { epoch: 'e2', offset: 9, recovered: false };

  history.publish(6);
  history.rig.server.peer.send({ event: '$gap', data: { channel: 'news', epoch: 'e2', offset: 9 } });
  await history.rig.pass(10);
  history.publish(10);
  await history.rig.pass();

  expect(history.told).toEqual(['gap: rejoined', 10]);
});

it('tells a gap of what has no position behind the ack of a join that recovers all others', async () => {
  const history = await History.open();
  history.ack = { epoch: 'e1', offset: 3, recovered: true };
  history.replay = [4, 5];

  history.publish(5);
  history.rig.server.peer.send({ event: '$gap', data: { channel: 'news', epoch: 'e1', offset: 3 } });
  await history.rig.pass(10);
  history.publish(6);
  await history.rig.pass();

  expect(history.told).toEqual(['gap: lost', 4, 5, 6]);
});

it('begins anew where nobody listened for a while, and the channel was left offline', async () => {
  const rig = await ClientRig.open();
  const { server, client } = rig;
  const asked: unknown[] = [];
  server.onSubscribe = ({ channel, since }: { channel: string; since?: Position }): Answer => {
    asked.push(since);
    return { data: { channel, epoch: 'e1', offset: 3 } };
  };
  const gaps: unknown[] = [];
  const news = client.channel('news');
  news.on('$gap', (gap) => gaps.push(gap));
  const stop = news.on('said', () => undefined);
  await rig.pass(10);

  server.peer.cut();
  await rig.pass();
  stop();
  await rig.pass(5_000);
  news.on('said', () => undefined);
  await rig.pass(10);

  expect(asked).toEqual([undefined, undefined]);
  expect(gaps).toEqual([]);
});

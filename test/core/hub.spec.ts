import { describe, expect, it, vi } from 'vitest';
import type { HistoryPage, Position, Publication } from '../../lib/core/broker.interface.js';
import { defineChannel } from '../../lib/core/channel-definition.js';
import type { EncodedFrame } from '../../lib/core/encoded-frame.js';
import { ChannelsError } from '../../lib/core/errors.js';
import { TestClock } from 'nestjs-channels/testing';
import { MemoryBroker } from '../../lib/core/memory-broker.js';
import type { Observer } from '../../lib/core/observer.interface.js';
import { Bus } from '../support/bus-broker.js';
import { Deferred } from '../support/deferred.js';
import { FakeTransport, Rig, settled, type Peer, seededRandom } from './engine-rig.js';

/** A broker in this process that writes down what it is asked for, and fails on demand. */
class ScriptedBroker extends MemoryBroker {
  readonly asked: string[] = [];

  constructor() {
    super({ clock: new TestClock(), random: seededRandom(7) });
  }

  onSubscribe: () => Promise<void> | void = () => undefined;
  onUnsubscribe: () => Promise<void> | void = () => undefined;

  override subscribe(channel = ''): Promise<void> | void {
    this.asked.push(`subscribe ${channel}`);
    return this.onSubscribe();
  }

  override unsubscribe(channel = ''): Promise<void> | void {
    this.asked.push(`unsubscribe ${channel}`);
    return this.onUnsubscribe();
  }
}

/** Keeps the frames themselves, not only their texts. */
class KeepingTransport extends FakeTransport {
  readonly kept: EncodedFrame[] = [];

  override write(frames: readonly EncodedFrame[]): void {
    this.kept.push(...frames);
    super.write(frames);
  }
}

function join({ connection }: Peer, channel = 'chat'): Promise<void> {
  return connection.subscriptions.join(channel);
}

function leave({ connection }: Peer, channel = 'chat'): Promise<void> {
  return connection.subscriptions.leave(channel);
}

/** What a peer was sent of the channel. */
async function publicationsOf({ transport }: Peer): Promise<unknown[]> {
  await settled();
  const frames = transport.frames.map((text) => JSON.parse(text) as { channel?: string; data?: unknown });
  return frames.filter(({ channel }) => channel !== undefined).map(({ data }) => data);
}

function chat(data: unknown, except?: string): Publication {
  return { channel: 'chat', event: 'message', data: JSON.stringify(data), except };
}

describe('the hub', () => {
  it('asks the broker for a channel with its first subscriber, and lets go of it with its last', async () => {
    const broker = new ScriptedBroker();
    const rig = await Rig.start({ broker });
    const [one, other] = [rig.open(), rig.open()];

    await join(one);
    await join(other);
    await leave(one);
    await leave(one);
    const before = [...broker.asked];
    await leave(other);

    expect(before).toEqual(['subscribe chat']);
    expect(broker.asked).toEqual(['subscribe chat', 'unsubscribe chat']);
    expect(rig.engine.hub.size).toBe(0);
  });

  it('asks anew after a channel was let go of, in this order', async () => {
    const broker = new ScriptedBroker();
    const peer = (await Rig.start({ broker })).open();

    await Promise.all([join(peer), leave(peer), join(peer)]);

    expect(broker.asked).toEqual(['subscribe chat', 'unsubscribe chat', 'subscribe chat']);
  });

  it('encodes a publication once for all of its subscribers', async () => {
    const delivered: unknown[] = [];
    const observer: Observer = { delivered: (...facts) => void delivered.push(facts) };
    const rig = await Rig.start({ observers: [observer] });
    const transports = Array.from({ length: 5 }, () => new KeepingTransport());
    for (const transport of transports) await join(rig.open({}, transport));

    rig.engine.hub.deliver(chat('hello'));
    await settled();

    const frames = transports.map(({ kept }) => kept.at(-1));
    expect(frames[0]?.text).toBe('{"channel":"chat","event":"message","data":"hello"}');
    expect(new Set(frames).size).toBe(1);
    expect(delivered).toEqual([['chat', 5]]);
  });

  it('leaves one connection out, also while it joins', async () => {
    const broker = new ScriptedBroker();
    const rig = await Rig.start({ broker });
    const [one, other] = [rig.open(), rig.open()];
    const ready = new Deferred();
    broker.onSubscribe = () => ready.promise;
    const joining = [join(one), join(other)];

    rig.engine.hub.deliver(chat(1, one.connection.id));
    ready.resolve();
    await Promise.all(joining);
    rig.engine.hub.deliver(chat(2, one.connection.id));
    rig.engine.hub.deliver(chat(3, 'somebody else'));

    expect([await publicationsOf(one), await publicationsOf(other)]).toEqual([[3], [1, 2, 3]]);
  });

  it('drops what nobody here has subscribed to', async () => {
    const delivered: unknown[] = [];
    const rig = await Rig.start({ observers: [{ delivered: (...facts) => void delivered.push(facts) }] });
    const peer = rig.open();
    await join(peer);
    await leave(peer);

    rig.engine.hub.deliver(chat('too late'));

    expect([await publicationsOf(peer), delivered]).toEqual([[], []]);
  });

  it('tells who is subscribed', async () => {
    const rig = await Rig.start();
    const [one, other] = [rig.open(), rig.open()];
    await join(one);
    await join(other);
    await leave(one);

    const subscribers = [...rig.engine.hub.subscribers('chat')];

    expect(subscribers.map(({ connection }) => connection)).toEqual([other.connection]);
    expect([...rig.engine.hub.subscribers('other')]).toEqual([]);
  });

  it('tells every channel with its number of subscribers', async () => {
    const rig = await Rig.start();
    const [one, other] = [rig.open(), rig.open()];
    await join(one);
    await join(other);
    await join(other, 'news');
    await join(other, 'left');
    await leave(other, 'left');

    expect([...rig.engine.hub.channels()]).toEqual([
      ['chat', 2],
      ['news', 1],
    ]);
  });
});

describe('the hub, with a broker that takes its time', () => {
  it('misses nothing from the join on, and tells nothing before', async () => {
    const bus = new Bus();
    const [here, there] = [bus.node(), bus.node()];
    const rig = await Rig.start({ broker: here });
    const peer = rig.open();

    await Promise.all([join(peer), there.publish(chat(1)), there.publish(chat(2))]);
    await there.publish(chat(3));
    await settled();

    const events = peer.transport.frames.map((text) => (JSON.parse(text) as { event: string }).event);
    expect(events).toEqual(['$subscribed', 'message', 'message', 'message']);
    expect(await publicationsOf(peer)).toEqual([1, 2, 3]);
  });

  it('waits for the one answer where several join at once', async () => {
    const broker = new ScriptedBroker();
    const rig = await Rig.start({ broker });
    const ready = new Deferred();
    broker.onSubscribe = () => ready.promise;
    const joined: string[] = [];
    const joining = [rig.open(), rig.open()].map((peer) => join(peer).then(() => joined.push('joined')));

    await settled();
    const before = [...joined];
    ready.resolve();
    await Promise.all(joining);

    expect([before, joined.length, broker.asked]).toEqual([[], 2, ['subscribe chat']]);
  });

  it('runs no method for a connection that has ended meanwhile, and keeps nothing of it', async () => {
    const broker = new ScriptedBroker();
    const ready = new Deferred();
    broker.onSubscribe = () => ready.promise;
    const runs: unknown[] = [];
    const subscribe = { event: '$subscribe', acked: true, handle: (): unknown => runs.push('subscribe') };
    const rig = await Rig.start({ broker, channels: { chat: { subscribe } } });
    const [asking, joined] = [rig.open(), rig.open()];
    asking.connection.receive('{"event":"$subscribe","id":1,"data":{"channel":"chat"}}');
    const joining = join(joined);

    asking.transport.drop();
    joined.transport.drop();
    await settled();
    ready.resolve();

    await expect(joining).rejects.toMatchObject({ code: 'unavailable' });
    expect([runs, rig.engine.hub.size]).toEqual([[], 0]);
  });
});

describe('the hub, with a broker that fails', () => {
  const AWAY = new ChannelsError('unavailable', 'the broker is away');
  const FAILURES: readonly [how: string, fail: () => Promise<void> | void][] = [
    ['rejects', () => Promise.reject(AWAY)],
    [
      'throws',
      () => {
        throw AWAY;
      },
    ],
  ];

  it.each(FAILURES)(
    'refuses every join that waits for it, and asks again for the next: it %s',
    async (_how, onSubscribe) => {
      const broker = new ScriptedBroker();
      broker.onSubscribe = onSubscribe;
      const rig = await Rig.start({ broker });
      const [one, other] = [rig.open(), rig.open()];

      const outcomes = await Promise.allSettled([join(one), join(other)]);
      const size = rig.engine.hub.size;
      broker.onSubscribe = () => undefined;
      await join(one);
      rig.engine.hub.deliver(chat('back again'));

      expect(outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason)).toEqual([
        AWAY,
        AWAY,
      ]);
      expect(size).toBe(0);
      expect([await publicationsOf(one), await publicationsOf(other)]).toEqual([['back again'], []]);
    },
  );

  it.each(FAILURES)('reports a channel that cannot be let go of: it %s', async (_how, onUnsubscribe) => {
    const broker = new ScriptedBroker();
    broker.onUnsubscribe = onUnsubscribe;
    const rig = await Rig.start({ broker });
    const peer = rig.open();
    await join(peer);

    await leave(peer);
    await settled();

    expect(rig.journal.failures).toEqual(['broker.unsubscribe chat']);
    expect(rig.engine.hub.size).toBe(0);
  });

  it('reads again within a second what it could not read', async () => {
    const clock = new TestClock();
    const broker = new MemoryBroker({ clock, random: seededRandom(7) });
    const rig = await Rig.start({ broker, clock });
    rig.engine.catalog.add(defineChannel('news', { history: true }), 'a test');
    const peer = rig.open();
    await join(peer, 'news');
    const publish = (data: number): Promise<void> => rig.engine.publisher.publish('news', 'said', data, {});
    const history = vi.spyOn(broker, 'history').mockRejectedValueOnce(AWAY);

    broker.start(() => undefined);
    await publish(1);
    broker.start(rig.engine.hub.deliver);
    await publish(2);
    const before = await publicationsOf(peer);
    await clock.advance(1_000);

    expect(before).toEqual([]);
    expect(await publicationsOf(peer)).toEqual([1, 2]);
    expect(history).toHaveBeenCalledTimes(2);
  });

  it.each([
    ['behind', 'as long as somebody is in it', 1],
    ['before', 'not at all', 0],
  ])(
    'asks no more for a channel that all have left %s the failure, reported %s',
    async (when, _how, count) => {
      const clock = new TestClock();
      const broker = new MemoryBroker({ clock, random: seededRandom(7) });
      const rig = await Rig.start({ broker, clock });
      rig.engine.catalog.add(defineChannel('news', { history: true }), 'a test');
      const peer = rig.open();
      await join(peer, 'news');
      const answer = new Deferred<Position>();
      const position = vi.spyOn(broker, 'position').mockReturnValue(answer.promise as never);

      rig.engine.hub.unsure();
      if (when === 'before') await leave(peer, 'news');
      answer.reject(new Error('no position can look like this'));
      await settled();
      await leave(peer, 'news');
      await clock.advance(10_000);

      expect(position).toHaveBeenCalledOnce();
      expect(rig.journal.failures).toEqual(Array.from({ length: count }, () => 'the history of news'));
    },
  );

  it('tells newcomers nothing of what was read for those who have left', async () => {
    const clock = new TestClock();
    const broker = new MemoryBroker({ clock, random: seededRandom(7) });
    const rig = await Rig.start({ broker, clock });
    const news = defineChannel('news', { history: true });
    rig.engine.catalog.add(news, 'a test');
    const one = rig.open();
    await join(one, 'news');
    const reading = new Deferred<HistoryPage>();
    const history = vi.spyOn(broker, 'history').mockReturnValueOnce(reading.promise as never);
    rig.engine.hub.deliver({ channel: 'news', event: 'said', position: { epoch: 'old', offset: 9 } });

    await leave(one, 'news');
    const other = rig.open();
    await join(other, 'news');
    reading.resolve({ position: { epoch: 'old', offset: 9 }, oldest: 10, publications: [] });
    await settled();

    expect(history).toHaveBeenCalledOnce();
    expect(other.transport.frames.map((text) => JSON.parse(text).event)).toEqual(['$subscribed']);
  });

  it('compares positions as often as it was told to', async () => {
    const clock = new TestClock();
    const broker = new MemoryBroker({ clock, random: seededRandom(7) });
    const rig = await Rig.start({ broker, clock, positionCheckMs: 100 });
    rig.engine.catalog.add(defineChannel('news', { history: true }), 'a test');
    await join(rig.open(), 'news');
    const position = vi.spyOn(broker, 'position');

    for (let at = 0; at < 10; at++) await clock.advance(100);

    expect(position).toHaveBeenCalledTimes(10);
  });
});

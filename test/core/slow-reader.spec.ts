import { describe, expect, it } from 'vitest';
import type { ChannelOptions } from '../../lib/core/channel-definition.js';
import { say, settled } from './engine-rig.js';
import { SlowLink } from './slow-link.js';
import { MAX_OUTBOX_BYTES, ONE, SHEDDING, Slow } from './slow-reader-rig.js';

describe.each(SHEDDING)('a reader that keeps up, with %s', (overflow) => {
  it('gets everything at the end of the turn, in one write', async () => {
    const slow = await Slow.open({ overflow }, { maxOutboxBytes: 10_000 });
    const { publisher } = slow.rig.engine;

    for (const data of [1, 2, 3]) void publisher.publish('chat', 'said', data, {});
    await settled();

    expect(slow.link.told).toEqual(['1', '2', '3']);
    expect(slow.link.writes.at(-1)).toHaveLength(3);
  });

  it('gets everything, also where one turn publishes more than its outbox holds', async () => {
    const slow = await Slow.open({ overflow });
    const all = Array.from({ length: 50 }, (_, at) => at);

    for (const data of all) void slow.rig.engine.publisher.publish('chat', 'said', data, {});
    await settled();

    expect(slow.link.told).toEqual(all.map(String));
    expect(slow.dropped).toEqual([]);
  });

  it('pays nothing for having been slow', async () => {
    const slow = await Slow.open({ overflow });
    slow.stick();
    await slow.publish(1);
    await slow.heal();

    await slow.publish(2);

    expect(slow.link.told).toEqual(['1', '2']);
    expect(slow.rig.engine.drainQueue.size).toBe(0);
  });
});

describe('latest', () => {
  it('lets the newest wait alone, and says how many it stands for', async () => {
    const slow = await Slow.open({ overflow: 'latest' });
    slow.stick();

    await slow.publish(1, 2, 3);
    const before = slow.link.told;
    await slow.heal();
    await slow.publish(4);

    expect(before).toEqual([]);
    expect(slow.link.told).toEqual(['3 -2', '4']);
    expect(slow.dropped).toEqual([
      ['chat', 1],
      ['chat', 1],
    ]);
  });

  it('writes it when what was written before is taken, whatever was written since', async () => {
    const slow = await Slow.open({ overflow: 'latest' });
    slow.stick();
    slow.link.bytesWritten += 1;

    await slow.publish(1);
    slow.connection.sendEvent('behind');
    await settled();
    const waiting = slow.link.bufferedAmount;
    slow.link.take(1);
    await slow.check();

    expect(waiting).toBeGreaterThan(1);
    expect(slow.link.told).toEqual(['1']);
  });

  it('waits while a byte of what was written before is not taken', async () => {
    const slow = await Slow.open({ overflow: 'latest' });
    slow.stick();

    await slow.publish(1);
    await slow.rig.clock.advance(60_000);

    expect(slow.link.told).toEqual([]);
    expect(slow.state).toBe('open');
  });

  it('does so for each channel', async () => {
    const slow = await Slow.open({ overflow: 'latest' });
    await slow.connection.subscriptions.join('other');
    await settled();
    slow.stick();

    await slow.publish(1, 2);
    await slow.rig.engine.publisher.publish('other', 'said', 'a', {});
    await slow.rig.engine.publisher.publish('other', 'said', 'b', {});
    await slow.heal();

    expect(slow.link.told).toEqual(['2 -1', 'b -1']);
  });

  it('ends the connection where the newest has no room behind what may not be dropped', async () => {
    const slow = await Slow.open({ overflow: 'latest' });
    slow.stick();
    slow.link.bufferedAmount = MAX_OUTBOX_BYTES - ONE;

    await slow.publish(1);
    const atLimit = slow.state;
    slow.link.bufferedAmount += 1;
    await slow.publish(2);

    expect(atLimit).toBe('open');
    expect(slow.rig.journal.entries.at(-1)).toBe('closed 4413');
  });
});

describe('drop-oldest', () => {
  it.each([
    ['at the limit', 0, ['1', '2', '3']],
    ['one byte over it', 1, ['2 -1', '3']],
  ])('drops nothing that has room: %s', async (_, more, told) => {
    const slow = await Slow.open({ overflow: 'drop-oldest' });
    slow.stick();
    slow.link.bufferedAmount = ONE + more;

    await slow.publish(1, 2, 3);
    await slow.heal();

    expect(slow.link.told).toEqual(told);
    expect(slow.state).toBe('open');
  });

  it('keeps the newest, whatever comes', async () => {
    const slow = await Slow.open({ overflow: 'drop-oldest' });
    slow.stick();

    await slow.publish(...Array.from({ length: 1_000 }, (_, at) => at % 10));
    const waiting = slow.link.bufferedAmount;
    await slow.heal();

    expect(waiting).toBe(1);
    expect(slow.link.told).toEqual(['7 -997', '8', '9']);
  });

  it('makes room for what may not be dropped', async () => {
    const slow = await Slow.open({ overflow: 'drop-oldest' });
    slow.stick();

    await slow.publish(1, 2, 3);
    slow.connection.sendEvent('answer', 'a short one, no more');
    await slow.heal();

    expect(slow.link.told).toEqual(['2 -1', '3']);
    expect(slow.link.events).toContain('answer');
    expect(slow.state).toBe('open');
  });

  it('makes room for another channel of its kind', async () => {
    const slow = await Slow.open({ overflow: 'drop-oldest' });
    await slow.connection.subscriptions.join('other');
    await settled();
    slow.stick();

    await slow.publish(1, 2, 3);
    await slow.rig.engine.publisher.publish('other', 'said', 'x'.repeat(ONE), {});
    await slow.heal();

    expect(slow.link.told).toEqual(['3 -2', 'x'.repeat(ONE)]);
    expect(slow.dropped).toEqual([['chat', 2]]);
  });

  it('hands over a part at a time, so that the rest can still be dropped', async () => {
    const big = 'x'.repeat(10_000);
    const slow = await Slow.open({ overflow: 'drop-oldest' }, { maxOutboxBytes: 100_000 });
    slow.stick();

    await slow.publish(...Array.from({ length: 9 }, (_, at) => `${at}${big}`));
    slow.link.take();
    await slow.check();
    const first = slow.link.told.length;
    await slow.publish(`9${big}`, `a${big}`);
    await slow.heal();

    expect(first).toBe(2);
    expect(slow.link.told.map((data) => data[0])).toEqual([...'01456789a']);
    expect(slow.link.told[2]).toMatch(/ -2$/);
  });
});

describe('disconnect, the default', () => {
  it.each<[string, ChannelOptions]>([
    ['as it is', {}],
    ['with a history', { history: true }],
  ])('ends the connection where the others drop: %s', async (_, channel) => {
    const slow = await Slow.open(channel);
    slow.stick();

    await slow.publish(1, 2, 3, 4);

    expect(slow.rig.journal.entries.at(-1)).toBe('closed 4413');
    expect(slow.dropped).toEqual([]);
  });
});

describe.each(SHEDDING)('what waits, with %s,', (overflow) => {
  it('goes before a $gap of the channel', async () => {
    const slow = await Slow.open({ overflow });
    slow.stick();

    await slow.publish(1);
    slow.rig.engine.hub.unsure(['chat']);
    await settled();

    expect(slow.link.events.slice(-2)).toEqual(['said', '$gap']);
  });

  it('goes before the $unsubscribed of the server', async () => {
    const slow = await Slow.open({ overflow });
    slow.stick();

    await slow.publish(1);
    await slow.connection.subscriptions.leave('chat');
    await settled();

    expect(slow.link.events.slice(-2)).toEqual(['said', '$unsubscribed']);
  });

  it('goes before the ack of a repeated $subscribe', async () => {
    const slow = await Slow.open({ overflow });
    slow.stick();

    await slow.publish(1);
    say(slow, { event: '$subscribe', id: 'again', data: { channel: 'chat' } });
    await settled();

    expect(slow.link.read.slice(-2)).toMatchObject([{ data: 1 }, { ack: 'again' }]);
  });

  it('is not sent to one who leaves', async () => {
    const slow = await Slow.open({ overflow });
    slow.stick();

    await slow.publish(1);
    say(slow, { event: '$unsubscribe', id: 'out', data: { channel: 'chat' } });
    await slow.heal();

    expect(slow.link.told).toEqual([]);
    expect(slow.rig.engine.drainQueue.size).toBe(0);
  });

  it('is written when the server closes the connection', async () => {
    const slow = await Slow.open({ overflow });
    slow.stick();

    await slow.publish(1);
    slow.connection.close(1_000);

    expect(slow.link.told).toEqual(['1']);
  });

  it('is forgotten when the connection ends, and the timer with it', async () => {
    const slow = await Slow.open({ overflow });
    const timers = slow.rig.clock.pendingTimers;
    slow.stick();

    await slow.publish(1);
    const meanwhile = slow.rig.clock.pendingTimers;
    slow.link.drop();
    await settled();

    expect(meanwhile).toBe(timers + 1);
    expect(slow.rig.clock.pendingTimers).toBe(timers);
    expect(slow.rig.engine.drainQueue.size).toBe(0);
  });
});

it('shares one timer between all who are slow', async () => {
  const slow = await Slow.open({ overflow: 'latest' });
  const { rig } = slow;
  const timers = rig.clock.pendingTimers;
  const links = Array.from({ length: 10 }, () => new SlowLink());
  for (const link of links) await rig.open({}, link).connection.subscriptions.join('chat');
  await settled();
  for (const link of links) Object.assign(link, { isStuck: true, bufferedAmount: 1 });

  await slow.publish(1, 2);

  expect(rig.engine.drainQueue.size).toBe(10);
  expect(rig.clock.pendingTimers).toBe(timers + 1);
});

it('shares the frame of those who have lost nothing', async () => {
  const slow = await Slow.open({ overflow: 'latest' });
  slow.stick();
  const before = slow.link.frames.length;

  await slow.publish(1);
  await slow.heal();
  await slow.publish(2);

  expect(slow.link.frames.slice(before)).toEqual([
    '{"channel":"chat","event":"said","data":1}',
    '{"channel":"chat","event":"said","data":2}',
  ]);
});

import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { TestClock } from '../../lib/testing/test-clock.js';

describe('TestClock', () => {
  it('stands still until it is advanced', async () => {
    const clock = new TestClock();

    await new Promise((resolve) => setImmediate(resolve));
    const before = clock.now();
    await clock.advance(250);

    expect([before, clock.now()]).toEqual([0, 250]);
  });

  it('fires timers in the order of time, then of insertion', async () => {
    const clock = new TestClock();
    const fired: string[] = [];
    clock.setTimeout(() => fired.push('late'), 30);
    clock.setTimeout(() => fired.push('first at 20'), 20);
    clock.setInterval(() => fired.push('every 20'), 20);
    clock.setTimeout(() => fired.push('early'), 10);

    await clock.advance(30);

    expect(fired).toEqual(['early', 'first at 20', 'every 20', 'late']);
  });

  it('shows each callback the instant of its timer', async () => {
    const clock = new TestClock();
    const instants: number[] = [];
    clock.setTimeout(() => instants.push(clock.now()), 12.5);
    clock.setTimeout(() => instants.push(clock.now()), 70);

    await clock.advance(100);

    expect(instants).toEqual([12.5, 70]);
    expect(clock.now()).toBe(100);
  });

  it('fires a timer at its instant and not a millisecond before', async () => {
    const clock = new TestClock();
    const fired: number[] = [];
    clock.setTimeout(() => fired.push(clock.now()), 1_000);

    await clock.advance(999);
    expect(fired).toEqual([]);
    await clock.advance(1);

    expect(fired).toEqual([1_000]);
  });

  it('fires an interval until it is cleared', async () => {
    const clock = new TestClock();
    const instants: number[] = [];
    const interval = clock.setInterval(() => instants.push(clock.now()), 10);

    await clock.advance(35);
    clock.clearTimer(interval);
    await clock.advance(100);

    expect(instants).toEqual([10, 20, 30]);
  });

  it('lets an interval clear itself', async () => {
    const clock = new TestClock();
    let calls = 0;
    const interval = clock.setInterval(() => {
      calls += 1;
      clock.clearTimer(interval);
    }, 10);

    await clock.advance(100);

    expect([calls, clock.pendingTimers]).toEqual([1, 0]);
  });

  it('fires what a callback starts when it falls due within the same advance', async () => {
    const clock = new TestClock();
    const instants: number[] = [];
    clock.setTimeout(() => {
      clock.setTimeout(() => instants.push(clock.now()), 5);
      clock.setTimeout(() => instants.push(clock.now()), 50);
    }, 10);

    await clock.advance(20);

    expect(instants).toEqual([15]);
    expect(clock.pendingTimers).toBe(1);
  });

  it('does not fire a timer that an earlier one has cleared', async () => {
    const clock = new TestClock();
    const fired: string[] = [];
    const later = clock.setTimeout(() => fired.push('later'), 10);
    clock.setTimeout(() => fired.push('other'), 10);
    clock.setTimeout(() => clock.clearTimer(later), 5);

    await clock.advance(10);

    expect(fired).toEqual(['other']);
  });

  it('ignores clearing a timer that has fired or is not its own', async () => {
    const clock = new TestClock();
    const timer = clock.setTimeout(() => undefined, 1);
    clock.setTimeout(() => undefined, 10);
    await clock.advance(1);

    clock.clearTimer(timer);
    clock.clearTimer({});

    expect(clock.pendingTimers).toBe(1);
  });

  it('counts the timers that may still fire', async () => {
    const clock = new TestClock();
    clock.setTimeout(() => undefined, 10);
    clock.setInterval(() => undefined, 10);
    const cleared = clock.setTimeout(() => undefined, 10);

    expect(clock.pendingTimers).toBe(3);
    clock.clearTimer(cleared);
    expect(clock.pendingTimers).toBe(2);
    await clock.advance(10);
    expect(clock.pendingTimers).toBe(1);
  });

  it.each([0, -5, Number.NaN])('takes a delay of %d as 1 ms, so that every advance ends', async (delay) => {
    const clock = new TestClock();
    let calls = 0;
    clock.setInterval(() => (calls += 1), delay);

    await clock.advance(0);
    expect(calls).toBe(0);
    await clock.advance(3);

    expect(calls).toBe(3);
  });

  it('lets promise chains and immediates run between two timers of one instant', async () => {
    const clock = new TestClock();
    const log: string[] = [];
    clock.setTimeout(() => {
      void Promise.resolve()
        .then(() => undefined)
        .then(() => log.push('promise'));
      setImmediate(() => log.push('immediate'));
    }, 10);
    clock.setTimeout(() => log.push('second timer'), 10);

    await clock.advance(10);

    expect(log).toEqual(['promise', 'immediate', 'second timer']);
  });

  it('lets real sockets progress while it advances', async () => {
    const clock = new TestClock();
    const server = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    const echoed: string[] = [];
    socket.on('data', (chunk) => echoed.push(String(chunk)));
    clock.setTimeout(() => socket.write('hello'), 10);

    while (echoed.length === 0) await clock.advance(10);

    expect(echoed.join('')).toBe('hello');
  });

  it('runs overlapping advances one after the other', async () => {
    const clock = new TestClock();
    const instants: number[] = [];
    clock.setInterval(() => instants.push(clock.now()), 10);

    await Promise.all([clock.advance(15), clock.advance(15)]);

    expect(instants).toEqual([10, 20, 30]);
    expect(clock.now()).toBe(30);
  });

  it('rejects with what a callback throws and goes on from that instant', async () => {
    const clock = new TestClock();
    const fired: number[] = [];
    clock.setTimeout(() => {
      throw new Error('broken callback');
    }, 10);
    clock.setTimeout(() => fired.push(clock.now()), 10);
    clock.setTimeout(() => fired.push(clock.now()), 20);

    await expect(clock.advance(100)).rejects.toThrow('broken callback');
    expect([clock.now(), clock.pendingTimers, fired.length]).toEqual([10, 2, 0]);
    await clock.advance(10);

    expect(fired).toEqual([10, 20]);
  });

  it('keeps an interval that has thrown', async () => {
    const clock = new TestClock();
    let calls = 0;
    clock.setInterval(() => {
      calls += 1;
      if (calls === 1) throw new Error('first call');
    }, 10);

    await expect(clock.advance(20)).rejects.toThrow('first call');
    await clock.advance(20);

    expect(calls).toBe(3);
  });

  it('hands a failure to its own caller, not to the next in line', async () => {
    const clock = new TestClock();
    clock.setTimeout(() => {
      throw new Error('mine');
    }, 10);

    const outcomes = await Promise.allSettled([clock.advance(10), clock.advance(10)]);

    expect(outcomes.map((outcome) => outcome.status)).toEqual(['rejected', 'fulfilled']);
    expect(clock.now()).toBe(20);
  });

  it.each([-1, Number.NaN, Infinity])('refuses to advance by %d', async (ms) => {
    const clock = new TestClock();

    await expect(clock.advance(ms)).rejects.toThrow(RangeError);

    expect(clock.now()).toBe(0);
  });

  it('calls back after the real turn without being advanced', async () => {
    const clock = new TestClock();
    const log: string[] = [];
    const turned = new Promise<void>((resolve) =>
      clock.afterTurn(() => {
        log.push('after turn');
        resolve();
      }),
    );
    await Promise.resolve();
    log.push('same turn');

    await turned;

    expect(log).toEqual(['same turn', 'after turn']);
    expect([clock.now(), clock.pendingTimers]).toEqual([0, 0]);
  });
});

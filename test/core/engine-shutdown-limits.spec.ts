import { describe, expect, it, vi } from 'vitest';
import type { Broker } from '../../lib/core/broker.interface.js';
import { Deferred } from '../support/deferred.js';
import { deaf, memoryBroker, Rig, settled } from './engine-rig.js';
import { shutDown, startWorking } from './shutdown-rig.js';

describe('Engine.shutdown', () => {
  it('closes anyway when a handler has used up shutdownTimeoutMs', async () => {
    const { rig, peer } = await startWorking();
    shutDown(rig);

    await rig.clock.advance(2_999);
    const before = peer.connection.state;
    await rig.clock.advance(1);

    expect([before, peer.connection.state]).toEqual(['open', 'closed']);
    expect(peer.transport.calls[0]).toMatch(/^end 1012 /);
  });

  it('awaits handleDisconnect', async () => {
    const disconnected = new Deferred();
    const rig = await Rig.start({ disconnected: () => disconnected.promise });
    rig.open();
    const shutdown = shutDown(rig);
    await rig.clock.advance(2_000);
    const before = shutdown.ended();

    disconnected.resolve();
    await settled();

    expect([before, shutdown.ended()]).toEqual([false, true]);
  });

  it('gives handleDisconnect the time that handlers and peers have left', async () => {
    const rig = await Rig.start({ disconnected: () => new Promise(() => undefined) });
    rig.open();
    const shutdown = shutDown(rig);

    await rig.clock.advance(4_499);
    const before = shutdown.ended();
    await rig.clock.advance(1);

    expect([before, shutdown.ended()]).toEqual([false, true]);
  });

  it('gives handleDisconnect half a second where they have left none', async () => {
    const { rig, peer } = await startWorking({ disconnected: () => new Promise(() => undefined) });
    peer.transport.answersClose = false;
    const shutdown = shutDown(rig);

    await rig.clock.advance(4_000);
    const destroyed = peer.transport.calls.includes('destroy');
    await rig.clock.advance(499);
    const before = shutdown.ended();
    await rig.clock.advance(1);

    expect([destroyed, before, shutdown.ended()]).toEqual([true, false, true]);
  });

  it('awaits handleDisconnect of a connection that had ended before', async () => {
    const disconnected = new Deferred();
    const rig = await Rig.start({ disconnected: () => disconnected.promise });
    rig.open().transport.drop();
    await settled();
    const shutdown = shutDown(rig);
    await settled();
    const before = shutdown.ended();

    disconnected.resolve();
    await settled();

    expect([before, shutdown.ended()]).toEqual([false, true]);
  });

  it('ends a peer that does not answer the close, and awaits its handleDisconnect', async () => {
    const disconnected = new Deferred();
    const rig = await Rig.start({ disconnected: () => disconnected.promise });
    const { transport } = rig.open({}, deaf());
    const shutdown = shutDown(rig);
    await rig.clock.advance(999);
    const calls = [...transport.calls];
    await rig.clock.advance(1);
    const before = shutdown.ended();

    disconnected.resolve();
    await settled();

    expect(calls).toEqual(['end 1012 the server shuts down or restarts']);
    expect(transport.calls.at(-1)).toBe('destroy');
    expect([before, shutdown.ended()]).toEqual([false, true]);
    expect(rig.journal.entries).toEqual(['opened', 'closed 1012']);
  });

  it('ends within 5 s, whatever does not', async () => {
    const { rig } = await startWorking({
      connected: ({ id }) => (id.endsWith('-3') ? new Promise(() => undefined) : undefined),
      disconnected: () => new Promise(() => undefined),
    });
    rig.open({}, deaf());
    rig.open();
    const shutdown = shutDown(rig);

    await rig.clock.advance(4_900);

    expect(shutdown.ended()).toBe(true);
    expect(rig.clock.pendingTimers).toBe(0);
  });

  it('waits for a farewell that nobody takes no longer than for what is left of its time', async () => {
    const silent = (): Promise<void> => new Promise(() => undefined);
    const close = vi.fn<() => void>();
    const nodes = { id: 'n', start: () => undefined, ask: silent, alive: () => ['n'], close: silent };
    const registry = { start: () => undefined, register: silent, read: silent, close: silent };
    const broker = Object.assign(memoryBroker(), { close, nodes, registry }) as unknown as Broker;
    const rig = await Rig.start({ broker });
    const shutdown = shutDown(rig);

    await settled();
    await rig.clock.advance(4_499);
    const before = [shutdown.ended(), close.mock.calls.length];
    await rig.clock.advance(1);

    expect(before).toEqual([false, 0]);
    expect([shutdown.ended(), close.mock.calls.length]).toEqual([true, 1]);
    expect(rig.clock.pendingTimers).toBe(0);
  });

  it('is one shutdown for all who ask for it', async () => {
    const close = vi.fn<() => void>();
    const broker = Object.assign(memoryBroker(), { close });
    const { rig, work, peer } = await startWorking({ broker });

    const shutdowns = [shutDown(rig), shutDown(rig)];
    await settled();
    const before = shutdowns.map(({ ended }) => ended());
    work.resolve(undefined);
    await settled();

    expect(before).toEqual([false, false]);
    expect(shutdowns.map(({ ended }) => ended())).toEqual([true, true]);
    expect([peer.transport.calls.length, close.mock.calls.length]).toEqual([1, 1]);
  });

  it('ends without a connection, and leaves no timer', async () => {
    const rig = await Rig.start();

    await rig.engine.shutdown();

    expect(rig.clock.pendingTimers).toBe(0);
  });

  it('closes the broker last', async () => {
    const order: string[] = [];
    const close = (): void => void order.push('broker');
    const rig = await Rig.start({
      broker: Object.assign(memoryBroker(), { close }),
      disconnected: () => void order.push('disconnected'),
    });
    rig.open();

    await rig.engine.shutdown();

    expect(order).toEqual(['disconnected', 'broker']);
  });

  it('reports a broker that cannot be closed', async () => {
    const close = (): void => {
      throw new Error('gone');
    };
    const rig = await Rig.start({ broker: Object.assign(memoryBroker(), { close }) });

    await rig.engine.shutdown();

    expect(rig.journal.failures).toEqual(['broker.close']);
  });
});

import { NEVER, Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { Deferred } from '../support/deferred.js';
import { Rig, say, settled } from './engine-rig.js';
import { shutDown, startWorking } from './shutdown-rig.js';

describe('Engine.shutdown', () => {
  it('closes every connection with 1012', async () => {
    const rig = await Rig.start();
    const peers = [rig.open(), rig.open()];

    await rig.engine.shutdown();

    expect(peers.map(({ transport }) => transport.calls)).toEqual([
      ['end 1012 the server shuts down or restarts'],
      ['end 1012 the server shuts down or restarts'],
    ]);
    expect(rig.journal.entries).toEqual(['opened', 'opened', 'closed 1012', 'closed 1012']);
    expect(rig.engine.connections.size).toBe(0);
  });

  it('lets a running handler finish and its ack leave before the close', async () => {
    const { rig, work, peer } = await startWorking();
    const shutdown = shutDown(rig);
    await rig.clock.advance(2_000);
    const before = [shutdown.ended(), peer.connection.state];

    work.resolve('done');
    await settled();

    expect(before).toEqual([false, 'open']);
    expect(peer.transport.frames).toEqual(['{"ack":1,"data":"done"}']);
    expect([shutdown.ended(), peer.connection.state]).toEqual([true, 'closed']);
  });

  it('lets a handler that answers by a stream of one finish', async () => {
    const work = new Deferred<string>();
    const handle = (): unknown =>
      new Observable(
        (subscriber) =>
          void work.promise.then((value) => {
            subscriber.next(value);
            subscriber.complete();
          }),
      );
    const rig = await Rig.start({ handlers: [{ event: 'work', acked: true, handle }] });
    const peer = rig.open();
    say(peer, { event: 'work', id: 1 });
    shutDown(rig);
    await settled();

    work.resolve('done');
    await settled();

    expect(peer.transport.frames).toEqual(['{"ack":1,"data":"done"}']);
  });

  it('does not wait for a stream that may have no end', async () => {
    const rig = await Rig.start({ handlers: [{ event: 'work', acked: false, handle: () => NEVER }] });
    say(rig.open(), { event: 'work', id: 1 });

    const shutdown = shutDown(rig);
    await settled();

    expect(shutdown.ended()).toBe(true);
  });

  it('lets a @SubscribeChannel method finish and its ack leave before the close', async () => {
    const joined = new Deferred<unknown>();
    const subscribe = { event: '$subscribe', acked: true, handle: () => joined.promise };
    const left: unknown[] = [];
    const unsubscribe = {
      event: '$unsubscribe',
      acked: true,
      handle: ({ data }: { data: unknown }) => void left.push(data),
    };
    const rig = await Rig.start({ channels: { 'chat:{room}': { subscribe, unsubscribe } } });
    const peer = rig.open();
    say(peer, { event: '$subscribe', id: 1, data: { channel: 'chat:lobby' } });
    const shutdown = shutDown(rig);
    await settled();

    joined.resolve('welcome');
    await settled();

    expect(peer.transport.frames).toEqual(['{"ack":1,"data":{"channel":"chat:lobby","data":"welcome"}}']);
    expect([left, shutdown.ended()]).toEqual([[{ reason: 'closed' }], true]);
  });

  it('answers new messages, subscriptions and questions for a history with unavailable', async () => {
    const { rig, peer } = await startWorking({ channels: { 'chat:{room}': {} } });
    shutDown(rig);

    say(peer, { event: 'work', id: 2 });
    say(peer, { event: '$subscribe', id: 3, data: { channel: 'chat:lobby' } });
    say(peer, { event: '$history', id: 4, data: { channel: 'chat:lobby' } });
    await settled();

    expect(peer.transport.frames.map((text) => JSON.parse(text))).toMatchObject([
      { ack: 2, error: { code: 'unavailable', retryable: true } },
      { ack: 3, error: { code: 'unavailable', retryable: true } },
      { ack: 4, error: { code: 'unavailable', retryable: true } },
    ]);
  });

  it('opens a connection whose handleConnection runs, and closes it then', async () => {
    const connected = new Deferred();
    const rig = await Rig.start({ connected: () => connected.promise });
    const { connection, transport } = rig.open();
    const shutdown = shutDown(rig);
    await settled();
    const before = [connection.state, shutdown.ended()];

    connected.resolve();
    await settled();

    expect(before).toEqual(['opening', false]);
    expect([transport.calls.length, shutdown.ended()]).toEqual([1, true]);
    expect(transport.calls[0]).toMatch(/^end 1012 /);
  });
});

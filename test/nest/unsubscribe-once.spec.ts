import type { FaultProxy } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { RecordingObserver } from '../support/recording-observer.js';
import { enter, startRooms, type Room } from '../support/room.js';

interface End extends Room {
  readonly observer: RecordingObserver;
  readonly proxy: FaultProxy;
}

interface Row {
  readonly end: string;
  readonly act: (rig: End) => Promise<unknown>;
  /** What the method is told, join by join. */
  readonly reasons: readonly string[];
}

function closed({ observer }: End): Promise<void> {
  return observer.until(({ closes }) => closes.length === 1);
}

const ENDS: readonly Row[] = [
  {
    end: '$unsubscribe',
    act: ({ client }) => client.unsubscribe('room:1'),
    reasons: ['unsubscribed'],
  },
  {
    end: '$unsubscribe, and a second one that is not_subscribed',
    act: ({ client }) => Promise.all([client.unsubscribe('room:1'), client.unsubscribe('room:1')]),
    reasons: ['unsubscribed'],
  },
  {
    end: 'another $subscribe that is accepted, which joins anew',
    act: (rig) => enter(rig, 'room:1'),
    reasons: ['replaced', 'closed'],
  },
  {
    end: 'another $subscribe that is refused',
    act: async ({ client, room }) => {
      const answer = client.subscribe('room:1');
      (await room.joins.next()).reject(new Error('no longer'));
      return answer;
    },
    reasons: ['refused'],
  },
  {
    end: 'another $subscribe whose state has no JSON: that is a join as well',
    act: (rig) => enter(rig, 'room:1', 1n),
    reasons: ['replaced', 'refused'],
  },
  {
    end: 'the server, which takes the client out',
    act: async ({ room }) => room.clients.all[0]?.unsubscribe('room:1'),
    reasons: ['removed'],
  },
  {
    end: 'a close of the client',
    act: ({ client, ...rig }) => Promise.all([client.close(), closed({ client, ...rig })]),
    reasons: ['closed'],
  },
  {
    end: 'a client that is gone without a word',
    act: (rig) => {
      rig.client.terminate();
      return closed(rig);
    },
    reasons: ['closed'],
  },
  {
    end: 'a reset of the connection',
    act: (rig) => {
      rig.proxy.reset();
      return closed(rig);
    },
    reasons: ['closed'],
  },
  {
    end: 'a disconnect by the server',
    act: async (rig) => {
      await rig.app.channels.disconnect({ channel: 'room:1' });
      return closed(rig);
    },
    reasons: ['closed'],
  },
  {
    end: 'a shutdown',
    act: ({ app }) => app.nest.close(),
    reasons: ['closed'],
  },
];

async function startEnd(): Promise<End> {
  const observer = new RecordingObserver();
  const { app, room } = await startRooms({ channels: { observers: [observer] } });
  const proxy = await app.proxy();
  return { app, room, observer, proxy, client: await app.connectTo(proxy.url('/ws')) };
}

describe('@UnsubscribeChannel', () => {
  it.each(ENDS)('runs once for each join that is ended by $end', async ({ act, reasons }) => {
    const rig = await startEnd();
    await enter(rig, 'room:1');

    await act(rig);
    await rig.app.close();

    expect(rig.room.leaves.all).toEqual(reasons.map((reason) => ({ channel: 'room:1', reason })));
  });

  it.each(ENDS.filter(({ reasons }) => reasons.length === 1 && reasons[0] !== 'refused'))(
    'runs once for a join by the server that is ended by $end',
    async ({ act, reasons }) => {
      const rig = await startEnd();
      await rig.room.clients.all[0]?.subscribe('room:1');

      await act(rig);
      await rig.app.close();

      expect(rig.room.leaves.all).toEqual(reasons.map((reason) => ({ channel: 'room:1', reason })));
    },
  );

  it('runs for each channel of a connection that ends', async () => {
    const rig = await startEnd();
    for (const channel of ['room:1', 'room:2', 'small:1']) await enter(rig, channel);
    await rig.client.unsubscribe('room:2');

    rig.client.terminate();
    await closed(rig);

    expect(rig.room.leaves.all).toEqual([
      { channel: 'room:2', reason: 'unsubscribed' },
      { channel: 'room:1', reason: 'closed' },
    ]);
  });

  it('has run when a shutdown has ended, also for a peer that does not answer', async () => {
    const rig = await startEnd();
    await enter(rig, 'room:1');
    rig.proxy.blackHole();

    await rig.app.nest.close();

    expect(rig.room.leaves.all).toEqual([{ channel: 'room:1', reason: 'closed' }]);
  });
});

import { ChannelsError } from 'nestjs-channels';
import type { ChannelsTestApp } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { MemoryRevocationStore } from '../../lib/core/memory-revocation-store.js';
import type { ConnectionList } from '../../lib/inspector/figures.js';
import { Bus } from '../support/bus-broker.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { CHANNEL, openInspector, startInspected } from './operators.js';

/** The list as an operator gets it. */
async function list(app: ChannelsTestApp, query: object = {}): Promise<ConnectionList> {
  const page = await openInspector(app);
  const { data } = await page.request('inspector.connections', query);
  await page.close();
  return data as ConnectionList;
}

describe('inspector.connections', () => {
  it('lists connections with their users and channels, and names the page itself', async () => {
    const app = await startInspected();
    const ada = await app.connect('/ws?user=ada');
    await ada.subscribe('chat:1');
    await app.connect('/ws');
    const page = await openInspector(app);
    await page.subscribe(CHANNEL);

    const { data } = await page.request('inspector.connections', {});

    const { connections, more, missing, own } = data as ConnectionList;
    expect(connections).toMatchObject([
      { principal: 'ada', path: '/ws', channels: ['chat:1'], channelCount: 1 },
      { principal: '', path: '/ws', channels: [], channelCount: 0 },
      { id: own, principal: 'olga', path: '/inspector/ws', channels: [CHANNEL], channelCount: 1 },
    ]);
    expect([more, missing]).toEqual([false, []]);
  });

  it.each([
    ['a user', { principal: 'ada' }],
    ['a channel', { channel: 'chat:2' }],
    ['both', { principal: 'ada', channel: 'chat:2' }],
  ])('lists those of %s', async (_what, query) => {
    const app = await startInspected();
    const ada = await app.connect('/ws?user=ada');
    await ada.subscribe('chat:2');
    const bob = await app.connect('/ws?user=bob');
    await bob.subscribe('chat:1');

    const { connections } = await list(app, query);

    expect(connections.map(({ principal }) => principal)).toEqual(['ada']);
  });

  it('lists 200 connections, and says where there are more', async () => {
    const app = await startInspected({ channels: { maxConnectionsPerPrincipal: 1_000 } });
    // One is the page.
    await Promise.all(Array.from({ length: 199 }, () => app.connect('/ws')));
    const atLimit = await list(app);
    await app.connect('/ws');
    const above = await list(app);

    expect([atLimit.connections.length, atLimit.more]).toEqual([200, false]);
    expect([above.connections.length, above.more]).toEqual([200, true]);
  });

  it.each([
    [8, 8],
    [9, 8],
  ])('lists of %i channels of a connection %i, and how many there are', async (joined, listed) => {
    const app = await startInspected();
    const ada = await app.connect('/ws?user=ada');
    for (let room = 0; room < joined; room++) await ada.subscribe(`chat:${room}`);

    const { connections } = await list(app, { principal: 'ada' });

    expect(connections[0]?.channels).toHaveLength(listed);
    expect(connections[0]?.channelCount).toBe(joined);
  });

  it.each([undefined, null, 'ada', { principal: 7 }, { channel: null }])('refuses %j', async (query) => {
    const app = await startInspected();
    const page = await openInspector(app);

    const answer = await page.request('inspector.connections', query);

    expect(answer).toMatchObject({ error: { code: 'bad_request' } });
  });
});

describe('inspector.disconnect', () => {
  it('closes that connection and no other, and leaves a line in the log', async () => {
    const logger = new RecordingLogger();
    const app = await startInspected({ configure: (nest) => nest.useLogger(logger) });
    const [ada, other] = [await app.connect('/ws?user=ada'), await app.connect('/ws?user=ada')];
    const { connections } = await list(app);
    const connectionId = connections[0]?.id;
    const page = await openInspector(app);

    const answer = await page.request('inspector.disconnect', { connectionId });

    expect(answer).toMatchObject({ data: { disconnected: 1, missing: [] } });
    expect((await ada.closed).code).toBe(1000);
    expect((await other.request('echo', 'still here')).data).toBe('still here');
    expect(logger.lines.filter((line) => line.includes('inspector:'))).toEqual([
      expect.stringContaining(`inspector: "olga" has disconnected "${connectionId}", connections closed: 1`),
    ]);
  });

  it.each([undefined, {}, { connectionId: '' }, { connectionId: 7 }, { principal: 'ada' }])(
    'closes nobody for %j',
    async (target) => {
      const app = await startInspected();
      const ada = await app.connect('/ws?user=ada');
      const page = await openInspector(app);

      const answer = await page.request('inspector.disconnect', target);

      expect(answer).toMatchObject({ error: { code: 'bad_request' } });
      expect((await ada.request('echo', 1)).data).toBe(1);
    },
  );
});

describe('inspector.revoke', () => {
  it('ends all sessions of a user, and refuses the tokens that there are', async () => {
    const app = await startInspected();
    const ada = [await app.connect('/ws?user=ada'), await app.connect('/ws?user=ada')];
    const bob = await app.connect('/ws?user=bob');
    const page = await openInspector(app);

    const answer = await page.request('inspector.revoke', { principal: 'ada' });
    const again = await app.connect('/ws?user=ada');

    expect(answer).toMatchObject({ data: { disconnected: 2, missing: [] } });
    const closes = await Promise.all([...ada, again].map(({ closed }) => closed));
    expect(closes.map(({ code }) => code)).toEqual([4503, 4503, 4503]);
    expect((await bob.request('echo', 1)).data).toBe(1);
  });

  // It closes first, and rejects then.
  it('leaves a line in the log also where it fails behind the closing', async () => {
    const logger = new RecordingLogger();
    const revocations = Object.assign(new MemoryRevocationStore(), {
      add: () => Promise.reject(new ChannelsError('unavailable', 'the store is away')),
    });
    const app = await startInspected({
      configure: (nest) => nest.useLogger(logger),
      channels: { broker: Object.assign(new Bus().node(), { revocations }) },
    });
    const ada = await app.connect('/ws?user=ada');
    const page = await openInspector(app);

    const answer = await page.request('inspector.revoke', { principal: 'ada' });

    expect((await ada.closed).code).toBe(4503);
    expect(answer).toMatchObject({ error: { code: 'unavailable' } });
    expect(logger.lines.filter((line) => line.includes('inspector:'))).toEqual([
      expect.stringContaining(
        'inspector: "olga" has revoked the sessions of "ada", which has failed at least in part: the store is away',
      ),
    ]);
  });

  it.each([undefined, {}, { principal: '' }, { principal: null }])(
    'revokes nobody for %j',
    async (target) => {
      const app = await startInspected();
      const nobody = await app.connect('/ws');
      const page = await openInspector(app);

      const answer = await page.request('inspector.revoke', target);

      expect(answer).toMatchObject({ error: { code: 'bad_request' } });
      expect((await nobody.request('echo', 1)).data).toBe(1);
    },
  );
});

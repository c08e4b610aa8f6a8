import type { ChannelsModuleOptions } from 'nestjs-channels';
import { describe, expect, it } from 'vitest';
import { goodTokens, startClientApp, type ClientApp } from '../support/client-app.js';
import { openClient, outcomeOf, type ClientLog } from '../support/client-rig.js';

interface Scene extends ClientApp {
  readonly log: ClientLog;
  /** Says `$hello` with the identity of the client, under a name. */
  steal(who: string): Promise<void>;
}

/** Ann is connected, and has told her identity. */
async function setUp(channels: ChannelsModuleOptions = {}): Promise<Scene> {
  const server = await startClientApp(goodTokens, channels);
  const log = openClient(server.url, { token: 'ann-good' });
  await log.reaches('open');
  const steal = async (who: string): Promise<void> => {
    const clientId = server.desk.clientIds.at(-1);
    const thief = await server.app.connect('/ws', { token: `${who}-good` });
    await thief.hello({ clientId });
  };
  return { ...server, log, steal };
}

describe('a client whose identity is used by somebody else', () => {
  it('takes a new one, rejects what was sent under the old one, and sends the rest', async () => {
    const { desk, log, steal } = await setUp({ maxInFlight: 1 });
    const sent = outcomeOf(log.client.send('hang'));
    const unsent = outcomeOf(log.client.send('say', 'moves'));
    await desk.until(() => desk.dataOf('hang').length === 1);

    await steal('ann');

    expect(await sent).toEqual({ code: 'closed', closeCode: 4509 });
    expect(await unsent).toEqual({ answer: 'heard moves' });
    expect(desk.dataOf('hang')).toHaveLength(1);
    expect(desk.dataOf('say')).toEqual(['moves']);
    const [own, stolen, next] = desk.clientIds;
    expect(desk.clientIds).toHaveLength(3);
    expect([own === stolen, own === next]).toEqual([true, false]);
    expect(log.states[2]).toMatchObject({ name: 'connecting', reason: 'replaced', code: 4509 });
    expect(log.names).toEqual(['connecting', 'open', 'connecting', 'open']);
  });

  it('stays away when that happens once more', async () => {
    const { desk, log, steal } = await setUp();
    await steal('ann');
    await log.reaches('open', 2);

    await steal('ann');
    const closed = await log.reaches('closed');

    expect(closed).toMatchObject({ reason: 'closed_by_server', code: 4509 });
    expect(await outcomeOf(log.client.send('say', 'too late'))).toEqual({ code: 'closed', closeCode: 4509 });
    expect(desk.dataOf('say')).toEqual([]);
  });

  it('hears nothing of it where the other one is somebody else', async () => {
    const { log, steal } = await setUp();

    await steal('bob');
    const answer = await log.client.send('say', 'still here');

    expect(answer).toBe('heard still here');
    expect(log.names).toEqual(['connecting', 'open']);
  });

  it('joins its channels again under the new one', async () => {
    const { app, log, steal } = await setUp();
    const channel = log.client.channel('desk:one');
    const gaps: string[] = [];
    channel.on('$gap', ({ reason }) => gaps.push(reason));
    await channel.subscribe();

    await steal('ann');
    await log.reaches('open', 2);
    await log.client.send('say', 'behind the join');

    expect((await app.channels.subscribers('desk:one')).subscribers).toHaveLength(1);
    expect(gaps).toEqual(['rejoined']);
  });
});

describe('a client that nobody is logged in on', () => {
  it('sends nothing of what it has queued once somebody is', async () => {
    const session: { token?: string } = {};
    const server = await startClientApp((request, response) => {
      if (request.headers.authorization === undefined) return true;
      return goodTokens(request, response);
    });
    const proxy = await server.app.proxy();
    const log = openClient(proxy.url('/ws'), { token: () => session.token });
    await log.client.send('say', 'from nobody');
    proxy.refuse = true;
    proxy.reset();
    await log.reaches('waiting');

    const queued = outcomeOf(log.client.send('say', 'queued by nobody'));
    session.token = 'ann-good';
    proxy.refuse = false;

    expect(await queued).toEqual({ code: 'principal_changed' });
    expect(await log.client.send('say', 'from ann')).toBe('heard from ann');
    expect(server.desk.dataOf('say')).toEqual(['from nobody', 'from ann']);
  });
});

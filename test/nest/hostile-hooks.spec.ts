import type { Observer } from 'nestjs-channels';
import { HandshakeRefused, type ChannelsTestApp, type TestClient } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { fault, FaultyGateway, SECRET, type Mode } from '../support/faulty-gateway.js';
import { watchProcess } from '../support/process-faults.js';
import { RecordingObserver } from '../support/recording-observer.js';
import { startApp } from '../support/start-app.js';

const MODES: readonly Mode[] = ['throws', 'rejects'];

interface Rig {
  readonly app: ChannelsTestApp;
  readonly client: TestClient;
  readonly bystander: TestClient;
  readonly observer: RecordingObserver;
  readonly processFaults: readonly unknown[];
}

async function start(further: readonly Observer[] = []): Promise<Rig> {
  fault.hook = '';
  const processFaults = watchProcess();
  const observer = new RecordingObserver();
  const app = await startApp({
    providers: [FaultyGateway],
    channels: {
      observers: [observer, ...further],
      session: () => fault.at('session', { principal: '' }),
    },
  });
  const [client, bystander] = [await app.connect('/ws'), await app.connect('/ws')];
  return { app, client, bystander, observer, processFaults };
}

function failAt(hook: string, mode: Mode): void {
  Object.assign(fault, { hook, mode });
}

/** The process, the clients that are there and those to come go on; nobody was told the secret. */
async function expectUnharmed({ app, bystander, client, processFaults }: Rig): Promise<void> {
  fault.hook = '';
  expect(await bystander.request('run', 1)).toMatchObject({ data: 1 });
  expect(await (await app.connect('/ws')).request('run', 2)).toMatchObject({ data: 2 });
  expect(processFaults).toEqual([]);
  expect(JSON.stringify([client.frames, bystander.frames])).not.toContain(SECRET);
}

const reported = expect.objectContaining({ error: fault.error });

describe.each(MODES)('a hook of a message that %s', (mode) => {
  it.each([
    ['guard', 'run'],
    ['pipe', 'run'],
    ['param', 'run'],
    ['interceptor', 'run'],
    ['handler', 'run'],
    ['filtered handler', 'run.filtered'],
  ])('is answered internal: %s', async (hook, event) => {
    const rig = await start();

    failAt(hook, mode);
    const answer = await rig.client.request(event, 1);

    expect(answer.error).toMatchObject({ code: 'internal', retryable: false });
    expect(rig.observer.failures).toContainEqual(reported);
    fault.hook = '';
    expect(await rig.client.request('run', 3)).toMatchObject({ data: 3 });
    await expectUnharmed(rig);
  });

  it('is told by an exception where the message has no id', async () => {
    const rig = await start();

    failAt('handler', mode);
    rig.client.send({ event: 'run' });

    expect(await rig.client.next()).toMatchObject({ event: 'exception', data: { status: 'error' } });
    expect(rig.observer.failures).toContainEqual(reported);
    await expectUnharmed(rig);
  });
});

describe.each(MODES)('a hook of a channel that %s', (mode) => {
  it('refuses the join, as a @SubscribeChannel method', async () => {
    const rig = await start();

    failAt('@SubscribeChannel', mode);
    const answer = await rig.client.subscribe('room:1');

    expect(answer.error).toMatchObject({ code: 'internal' });
    await expectUnharmed(rig);
  });

  it('changes nothing for the client, as an @UnsubscribeChannel method', async () => {
    const rig = await start();
    await rig.client.subscribe('room:1');

    failAt('@UnsubscribeChannel', mode);
    const answer = await rig.client.unsubscribe('room:1');

    expect(answer).not.toHaveProperty('error');
    expect(rig.observer.failures).toContainEqual(reported);
    await expectUnharmed(rig);
  });
});

describe.each(MODES)('a hook of a connection that %s', (mode) => {
  it.each(['handshake guard', '@OnHandshake', 'session'])('refuses the upgrade: %s', async (hook) => {
    const rig = await start();

    failAt(hook, mode);
    const plain = await rig.app.connect('/ws', { protocols: [] }).catch((error: unknown) => error);
    const ours = await rig.app.connect('/ws');

    expect(plain).toBeInstanceOf(HandshakeRefused);
    expect(plain).toMatchObject({ statusCode: 500 });
    expect(JSON.stringify(plain)).not.toContain(SECRET);
    expect((await ours.closed).code).toBe(1011);
    expect(rig.observer.failures).toContainEqual(reported);
    await expectUnharmed(rig);
  });

  it('closes with 1011, as handleConnection', async () => {
    const rig = await start();

    failAt('handleConnection', mode);
    const client = await rig.app.connect('/ws');

    expect(await client.closed).toEqual({ code: 1011, reason: '' });
    expect(rig.observer.failures).toContainEqual(reported);
    await expectUnharmed(rig);
  });

  it('is reported and nothing else, as handleDisconnect', async () => {
    const rig = await start();

    failAt('handleDisconnect', mode);
    await rig.client.close();
    await rig.observer.until(({ failures }) => failures.length > 0);

    expect(rig.observer.failures).toContainEqual(reported);
    await expectUnharmed(rig);
  });
});

describe('a listener of the application that throws', () => {
  it.each(['connection listener', 'message listener'])('is reported and nothing else: %s', async (hook) => {
    const rig = await start();

    failAt(hook, 'throws');
    const client = await rig.app.connect('/ws');

    expect(await client.request('run', 1)).toMatchObject({ data: 1 });
    expect(await client.request('run', 2)).toMatchObject({ data: 2 });
    expect(rig.observer.failures).toContainEqual(reported);
    await expectUnharmed(rig);
  });
});

describe('an observer', () => {
  const facts = ['opened', 'closed', 'refused', 'faulted', 'failed', 'acked', 'published', 'delivered'];

  it.each([
    ['throws', () => fault.raise()],
    ['rejects', () => Promise.reject(fault.error)],
  ])('is reported and nothing else where it %s', async (_, fail) => {
    const rig = await start([Object.fromEntries(facts.map((fact) => [fact, fail])) as Observer]);

    rig.client.sendRaw('no JSON');
    await rig.client.subscribe('room:1');
    await rig.app.channels.publish('room:1', 'news', 1);
    await rig.client.waitFor({ channel: 'room:1' });
    await rig.client.close();
    await rig.observer.until(({ closes }) => closes.length === 1);

    expect(rig.observer.failures).toContainEqual(reported);
    await expectUnharmed(rig);
  });
});

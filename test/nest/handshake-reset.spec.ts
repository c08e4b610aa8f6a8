import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { ForbiddenException } from '@nestjs/common';
import type { HandshakeRequest } from 'nestjs-channels';
import type { ChannelsTestApp } from 'nestjs-channels/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Deferred } from '../support/deferred.js';
import { guardedGateway } from '../support/guarded-gateway.js';
import { upgradeRequest } from '../support/raw-socket.js';
import { recordRefusals, type RefusalRecorder } from '../support/refusals.js';
import { startApp } from '../support/start-app.js';

const OURS = { 'Sec-WebSocket-Protocol': 'nestjs-channels.v1.json' };

interface Rig extends RefusalRecorder {
  readonly app: ChannelsTestApp;
  /** A peer whose guard is running, with the socket that the server has for it. */
  readonly waiting: (headers?: Readonly<Record<string, string>>) => Promise<{ peer: Socket; server: Socket }>;
  readonly verdict: Deferred<boolean>;
  /** What the guard has done, in order. */
  readonly journal: readonly string[];
  /** Connections that were opened. */
  readonly opened: readonly unknown[];
}

async function start(): Promise<Rig> {
  const verdict = new Deferred<boolean>();
  const journal: string[] = [];
  const opened: unknown[] = [];
  const recorder = recordRefusals();
  let asked = new Deferred<HandshakeRequest>();
  const gateway = guardedGateway(async (request) => {
    journal.push('asked');
    asked.resolve(request);
    return verdict.promise.finally(() => journal.push('answered'));
  });
  const observer = { opened: (connection: unknown): void => void opened.push(connection) };
  const app = await startApp({
    providers: [gateway],
    channels: { observers: [recorder.observer, observer] },
  });

  const waiting = async (
    headers?: Readonly<Record<string, string>>,
  ): Promise<{ peer: Socket; server: Socket }> => {
    asked = new Deferred();
    const peer = connect(app.port, '127.0.0.1');
    peer.on('error', () => undefined);
    onTestFinished(() => void peer.destroy());
    await once(peer, 'connect');
    peer.write(upgradeRequest('/ws', headers));
    return { peer, server: (await asked.promise).socket };
  };
  return { app, waiting, verdict, journal, opened, ...recorder };
}

/** Not by `once` of node:events: it listens for errors, too, and would be what keeps the process alive. */
function closeOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

const VERDICTS: readonly (readonly [string, (verdict: Deferred<boolean>) => void])[] = [
  ['agrees', (verdict) => verdict.resolve(true)],
  ['says no', (verdict) => verdict.resolve(false)],
  ['throws', (verdict) => verdict.reject(new ForbiddenException())],
];

describe.each([
  ['a plain client', undefined],
  ['a client of ours', OURS],
])('a reset of %s while its guard runs', (_who, headers) => {
  it.each(VERDICTS)('harms nothing when the guard %s afterwards', async (_what, decide) => {
    const { app, waiting, verdict, journal, opened, failures } = await start();
    const { peer, server } = await waiting(headers);
    const gone = closeOf(server);

    peer.resetAndDestroy();
    await gone;
    const before = [...journal];
    decide(verdict);
    await verdict.promise.catch(() => undefined);
    await turn();

    expect([before, journal]).toEqual([['asked'], ['asked', 'answered']]);
    expect([opened, failures]).toEqual([[], []]);
    expect(await app.channels.connections()).toMatchObject({ connections: [] });
  });

  it.each(VERDICTS)('harms nothing when the guard %s before the reset is noticed', async (_what, decide) => {
    const { waiting, verdict, journal, failures } = await start();
    const { peer, server } = await waiting(headers);
    const gone = closeOf(server);

    peer.resetAndDestroy();
    decide(verdict);
    await gone;
    await turn();

    expect([journal, failures]).toEqual([['asked', 'answered'], []]);
  });

  it('leaves the next client alone', async () => {
    const { app, waiting, verdict, opened } = await start();
    const { peer, server } = await waiting(headers);
    const gone = closeOf(server);
    peer.resetAndDestroy();
    await gone;
    verdict.resolve(true);

    const next = await app.connect('/ws');

    expect((await next.request('whoami')).data).toMatchObject({ principal: '' });
    expect(opened).toHaveLength(1);
  });

  // The same without a reset: what stays away above would be seen.
  it('is what keeps it out', async () => {
    const { waiting, verdict, opened } = await start();
    const { peer } = await waiting(headers);

    verdict.resolve(true);
    const [answer] = (await once(peer, 'data')) as [Buffer];

    expect(String(answer)).toMatch(/^HTTP\/1\.1 101 /);
    expect(opened).toHaveLength(1);
  });
});

describe('a reset of a refused client of ours', () => {
  it('before it has answered the close harms nothing', async () => {
    const { app, waiting, verdict, failures } = await start();
    const { peer, server } = await waiting(OURS);
    const gone = closeOf(server);

    verdict.resolve(false);
    await once(peer, 'data');
    peer.resetAndDestroy();
    await gone;

    expect(failures).toEqual([]);
    expect(await (await app.connect('/ws')).closed).toMatchObject({ code: 4503 });
  });
});

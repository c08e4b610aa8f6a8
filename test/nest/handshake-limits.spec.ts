import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Injectable, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { ChannelsModule } from 'nestjs-channels';
import { TestClient, TestClock } from 'nestjs-channels/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Deferred } from '../support/deferred.js';
import { guardedGateway } from '../support/guarded-gateway.js';
import { recordRefusals, refusalOf } from '../support/refusals.js';
import { startApp } from '../support/start-app.js';

const PLAIN = { protocols: [] };

/** Peers that are refused in the same way where a proxy is to ask another node. */
const PEERS = [
  ['a plain client', PLAIN],
  ['a client of ours', {}],
] as const;

/** A guard whose verdicts the test gives, in the order in which it was asked. */
class Gate {
  readonly verdicts: Deferred<boolean>[] = [];
  #asked = new Deferred();

  readonly check = (): Promise<boolean> => {
    const verdict = new Deferred<boolean>();
    this.verdicts.push(verdict);
    this.#asked.resolve();
    this.#asked = new Deferred();
    return verdict.promise;
  };

  /** Waits until the guard has been asked so often. */
  async asked(times: number): Promise<void> {
    while (this.verdicts.length < times) await this.#asked.promise;
  }
}

describe('handshakeTimeoutMs', () => {
  it('refuses with 503 when the guards have taken that long, and not before', async () => {
    const clock = new TestClock();
    const gate = new Gate();
    const { observer, refusals } = recordRefusals();
    const app = await startApp({
      clock,
      providers: [guardedGateway(gate.check)],
      channels: { handshakeTimeoutMs: 2_000, observers: [observer] },
    });
    const connecting = refusalOf(app.connect('/ws', PLAIN));
    await gate.asked(1);

    await clock.advance(1_999);
    const early = refusals.length;
    await clock.advance(1);

    const refusal = await connecting;
    expect([early, refusal.statusCode, refusal.headers['retry-after']]).toEqual([0, 503, '1']);
    expect(refusal.body).toMatchObject({ statusCode: 503, message: 'the handshake took too long' });
    expect(refusals[0]?.advice).toContain('handshakeTimeoutMs (2000)');
  });

  it('closes a client of ours with 1013', async () => {
    const clock = new TestClock();
    const gate = new Gate();
    const app = await startApp({ clock, providers: [guardedGateway(gate.check)] });
    const connecting = app.connect('/ws');
    await gate.asked(1);

    await clock.advance(5_000);

    expect(await (await connecting).closed).toEqual({ code: 1013, reason: '{"retryAfterMs":1000}' });
  });

  it('lets nobody in whose guard agrees afterwards', async () => {
    const clock = new TestClock();
    const gate = new Gate();
    const app = await startApp({ clock, providers: [guardedGateway(gate.check)] });
    const connecting = refusalOf(app.connect('/ws', PLAIN));
    await gate.asked(1);
    await clock.advance(5_000);
    await connecting;

    gate.verdicts[0]?.resolve(true);
    await clock.advance(0);

    expect(await app.channels.connections()).toMatchObject({ connections: [] });
  });

  it('lets in who is admitted within it, and leaves no timer behind', async () => {
    const clock = new TestClock();
    const gate = new Gate();
    const app = await startApp({ clock, providers: [guardedGateway(gate.check)] });
    const timers = clock.pendingTimers;
    const connecting = app.connect('/ws');
    await gate.asked(1);

    await clock.advance(4_999);
    gate.verdicts[0]?.resolve(true);
    const client = await connecting;

    expect((await client.request('whoami')).data).toMatchObject({ principal: '' });
    expect(clock.pendingTimers).toBe(timers);
  });
});

describe('maxPendingUpgrades', () => {
  it('lets that many wait for their guards, and refuses one more with 503', async () => {
    const gate = new Gate();
    const app = await startApp({
      providers: [guardedGateway(gate.check)],
      channels: { maxPendingUpgrades: 2 },
    });
    const waiting = [app.connect('/ws'), app.connect('/ws')];
    await gate.asked(2);

    const refusal = await refusalOf(app.connect('/ws', PLAIN));
    for (const verdict of gate.verdicts) verdict.resolve(true);
    const clients = await Promise.all(waiting);

    expect(refusal).toMatchObject({ statusCode: 503, headers: { 'retry-after': '1' } });
    expect(refusal.body).toMatchObject({ message: 'too many handshakes at once' });
    expect(gate.verdicts).toHaveLength(2);
    for (const client of clients) expect((await client.request('whoami')).data).toBeDefined();
  });

  it('closes one more client of ours with 1013', async () => {
    const gate = new Gate();
    const app = await startApp({
      providers: [guardedGateway(gate.check)],
      channels: { maxPendingUpgrades: 1 },
    });
    const waiting = app.connect('/ws');
    await gate.asked(1);

    const refused = await app.connect('/ws');
    const close = await refused.closed;
    gate.verdicts[0]?.resolve(true);
    await waiting;

    expect(close).toEqual({ code: 1013, reason: '{"retryAfterMs":1000}' });
  });

  it.each([
    ['agreed', (verdict: Deferred<boolean>) => verdict.resolve(true)],
    ['said no', (verdict: Deferred<boolean>) => verdict.resolve(false)],
    ['failed', (verdict: Deferred<boolean>) => verdict.reject(new Error('broken guard'))],
  ])('gives the place of one whose guard has %s to the next', async (_what, decide) => {
    const gate = new Gate();
    const app = await startApp({
      providers: [guardedGateway(gate.check)],
      channels: { maxPendingUpgrades: 1 },
    });
    const first = app.connect('/ws');
    await gate.asked(1);
    for (const verdict of gate.verdicts) decide(verdict);
    await first;

    const second = app.connect('/ws');
    await gate.asked(2);
    gate.verdicts[1]?.resolve(true);

    expect((await (await second).request('whoami')).data).toMatchObject({ principal: '' });
  });
});

describe('a server that starts', () => {
  it.each(PEERS)(
    'refuses %s with a plain 503 until the application has been bootstrapped',
    async (_, peer) => {
      const outcome = new Deferred<unknown>();

      @Injectable()
      class EarlyListener implements OnModuleInit {
        constructor(private readonly host: HttpAdapterHost) {}

        async onModuleInit(): Promise<void> {
          const server = this.host.httpAdapter.getHttpServer() as Server;
          await once(server.listen(0, '127.0.0.1'), 'listening');
          const { port } = server.address() as AddressInfo;
          outcome.resolve(await refusalOf(TestClient.connect(`ws://127.0.0.1:${port}/ws`, peer)));
        }
      }

      const module = await Test.createTestingModule({
        imports: [ChannelsModule.forRoot({})],
        providers: [EarlyListener, guardedGateway(() => true)],
      }).compile();
      const nest = module.createNestApplication();
      onTestFinished(() => nest.close());
      await nest.init();

      expect(await outcome.promise).toMatchObject({
        statusCode: 503,
        headers: { 'retry-after': '1' },
        body: { message: 'the server is starting' },
      });
    },
  );
});

describe('a server that shuts down', () => {
  it.each(PEERS)('refuses %s with a plain 503, also where a guard agrees by then', async (_, peer) => {
    const gate = new Gate();
    const outcomes = new Deferred<readonly unknown[]>();
    const waiting = new Deferred<unknown>();

    @Injectable()
    class Latecomers implements BeforeApplicationShutdown {
      async beforeApplicationShutdown(): Promise<void> {
        gate.verdicts[0]?.resolve(true);
        outcomes.resolve([await waiting.promise, await refusalOf(app.connect('/ws', peer))]);
      }
    }

    const app = await startApp({ providers: [Latecomers, guardedGateway(gate.check)] });
    const early = refusalOf(app.connect('/ws', peer));
    waiting.resolve(early);
    await gate.asked(1);
    await app.close();

    const refused = { statusCode: 503, body: { message: 'the server shuts down' } };
    expect(await outcomes.promise).toMatchObject([refused, refused]);
    expect(gate.verdicts).toHaveLength(1);
  });

  // A guard that hangs kept the HTTP server open, and so the process alive, for handshakeTimeoutMs.
  it.each(PEERS)('refuses %s that waits for a guard which never answers, at once', async (_, peer) => {
    const gate = new Gate();
    const app = await startApp({ clock: new TestClock(), providers: [guardedGateway(gate.check)] });
    const early = refusalOf(app.connect('/ws', peer));
    await gate.asked(1);

    await app.nest.close();

    expect(await early).toMatchObject({ statusCode: 503, body: { message: 'the server shuts down' } });
  });
});

import type { Server } from 'node:http';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import {
  UseInterceptors,
  type CallHandler,
  type INestApplication,
  type NestInterceptor,
} from '@nestjs/common';
import { TestClient, TestClock } from 'nestjs-channels/testing';
import type { Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { Deferred } from '../support/deferred.js';
import { guardedGateway } from '../support/guarded-gateway.js';
import { HTTP_FRAMEWORKS } from '../support/http-frameworks.js';
import { startApp } from '../support/start-app.js';

class PassingInterceptor implements NestInterceptor {
  intercept(_context: unknown, next: CallHandler): Observable<unknown> {
    return next.handle();
  }
}

/** Handlers and hooks that end when the test says so. */
@WebSocketGateway({ path: '/ws' })
class WorkGateway {
  readonly started = new Deferred();
  readonly work = new Deferred<string>();
  readonly disconnected: string[] = [];
  disconnecting: Promise<void> | undefined;

  @SubscribeMessage('work')
  run(): Promise<string> {
    this.started.resolve();
    return this.work.promise;
  }

  @SubscribeMessage('work behind an interceptor')
  @UseInterceptors(PassingInterceptor)
  runBehindInterceptor(): Promise<string> {
    return this.run();
  }

  async handleDisconnect(): Promise<void> {
    await this.disconnecting;
    this.disconnected.push('done');
  }
}

/** Closes the application while its time moves on; resolves when it has closed. */
async function closeOver(clock: TestClock, nest: INestApplication): Promise<void> {
  const closing = nest.close().then(() => true);
  for (let closed = false; !closed;) {
    closed = await Promise.race([closing, clock.advance(10).then(() => false)]);
  }
}

describe.each(HTTP_FRAMEWORKS)('Closing an application on %s', (_name, httpAdapter) => {
  it('closes its clients with 1012, and its port', async () => {
    const app = await startApp({ providers: [WorkGateway], httpAdapter });
    const clients = [await app.connect('/ws'), await app.connect('/ws', { protocols: [] })];

    await app.nest.close();

    expect((await Promise.all(clients.map(({ closed }) => closed))).map(({ code }) => code)).toEqual([
      1_012, 1_012,
    ]);
    await expect(TestClient.connect(app.url('/ws'))).rejects.toThrow('ECONNREFUSED');
  });

  it('leaves no listener for upgrades', async () => {
    const app = await startApp({ providers: [WorkGateway], httpAdapter });
    const server = app.nest.getHttpServer() as Server;
    const before = server.listenerCount('upgrade');

    await app.nest.close();

    expect([before, server.listenerCount('upgrade')]).toEqual([1, 0]);
  });

  it('refuses with 503 who still waits for a guard, and does not wait for the guard', async () => {
    const asked = new Deferred();
    const Gateway = guardedGateway(() => {
      asked.resolve();
      return new Promise(() => undefined);
    });
    const app = await startApp({ providers: [Gateway], httpAdapter });
    const refused = TestClient.connect(app.url('/ws'), { protocols: [] }).catch((error: unknown) => error);
    await asked.promise;

    await app.nest.close();

    expect(await refused).toMatchObject({ statusCode: 503 });
  });
});

describe('Closing an application', () => {
  it.each(['work', 'work behind an interceptor'])('answers running %s before the close', async (event) => {
    const app = await startApp({ providers: [WorkGateway] });
    const gateway = app.nest.get(WorkGateway);
    const client = await app.connect('/ws');
    const answer = client.request(event);
    await gateway.started.promise;

    const closing = app.nest.close();
    const refused = await untilRefused(client);
    gateway.work.resolve('done');
    await closing;

    expect(refused).toMatchObject({ code: 'unavailable' });
    expect((await answer).data).toBe('done');
    expect((await client.closed).code).toBe(1_012);
  });

  it('closes with 1012 after shutdownTimeoutMs when a handler never ends', async () => {
    const clock = new TestClock();
    const app = await startApp({ providers: [WorkGateway], clock });
    const client = await app.connect('/ws');
    client.send({ event: 'work', id: 1 });
    await app.nest.get(WorkGateway).started.promise;
    const startedAt = clock.now();

    await closeOver(clock, app.nest);

    expect((await client.closed).code).toBe(1_012);
    expect(clock.now() - startedAt).toBeGreaterThanOrEqual(3_000);
    expect(clock.now() - startedAt).toBeLessThan(5_000);
  });

  it('awaits handleDisconnect', async () => {
    const app = await startApp({ providers: [WorkGateway] });
    const gateway = app.nest.get(WorkGateway);
    const disconnecting = new Deferred();
    gateway.disconnecting = disconnecting.promise;
    const client = await app.connect('/ws');
    let closed = false;

    const closing = app.nest.close().then(() => (closed = true));
    await client.closed;
    const before = closed;
    disconnecting.resolve();
    await closing;

    expect([before, gateway.disconnected]).toEqual([false, ['done']]);
  });

  it('ends a peer that does not answer the close after a second, and awaits its handleDisconnect', async () => {
    const clock = new TestClock();
    const app = await startApp({ providers: [WorkGateway], clock });
    const client = await app.connect('/ws');
    client.pause();
    const startedAt = clock.now();

    await closeOver(clock, app.nest);

    expect(clock.now() - startedAt).toBeGreaterThanOrEqual(1_000);
    expect(clock.now() - startedAt).toBeLessThan(2_000);
    expect(app.nest.get(WorkGateway).disconnected).toEqual(['done']);
  });

  it('is not held up by a peer behind a black hole', async () => {
    const clock = new TestClock();
    const app = await startApp({ providers: [WorkGateway], clock });
    const proxy = await app.proxy();
    const [lost, healthy] = [await app.connectTo(proxy.url('/ws')), await app.connect('/ws')];
    proxy.blackHole();
    const startedAt = clock.now();

    await closeOver(clock, app.nest);
    proxy.heal();

    expect(clock.now() - startedAt).toBeLessThan(2_000);
    expect((await healthy.closed).code).toBe(1_012);
    // The close frame was on its way before the end of the socket.
    expect((await lost.closed).code).toBe(1_012);
    expect(app.nest.get(WorkGateway).disconnected).toEqual(['done', 'done']);
  });

  it('may be done twice, also at the same time', async () => {
    const app = await startApp({ providers: [WorkGateway] });
    const client = await app.connect('/ws');

    await Promise.all([app.nest.close(), app.nest.close()]);
    await app.nest.close();

    expect((await client.closed).code).toBe(1_012);
    expect(app.nest.get(WorkGateway).disconnected).toEqual(['done']);
  });

  it('works without any connection, and leaves no timer', async () => {
    const clock = new TestClock();
    const app = await startApp({ providers: [WorkGateway], clock });
    const before = clock.pendingTimers;

    await app.nest.close();

    // That of the engine, and that of the sockets which speak HTTP still.
    expect([before, clock.pendingTimers]).toEqual([2, 0]);
  });

  it('leaves no timer behind connections, refused ones and hung handlers', async () => {
    const clock = new TestClock();
    const app = await startApp({ providers: [WorkGateway], clock });
    const [client] = [await app.connect('/ws'), await app.connect('/ws')];
    await (
      await app.connect('/nowhere')
    ).closed;
    client.send({ event: 'work', id: 1 });
    await app.nest.get(WorkGateway).started.promise;

    await closeOver(clock, app.nest);

    expect(clock.pendingTimers).toBe(0);
  });
});

/** Asks until an answer shows that the application shuts down. */
async function untilRefused(client: TestClient): Promise<unknown> {
  for (;;) {
    const { error } = await client.subscribe('nowhere');
    if (error?.code === 'unavailable') return error;
  }
}

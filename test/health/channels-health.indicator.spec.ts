import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OnModuleDestroy } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { ChannelsHealthIndicator } from 'nestjs-channels/health';
import { describe, expect, it } from 'vitest';
import { Deferred } from '../support/deferred.js';
import { HTTP_FRAMEWORKS } from '../support/http-frameworks.js';
import { readTable } from '../support/markdown-table.js';
import { ROOT } from '../support/repository.js';
import { startApp } from '../support/start-app.js';
import { ask, startHealthy } from './health-rig.js';

const MAX_LOOP_DELAY_MS = 5_000;

/** A handler that ends when the test says so. */
@WebSocketGateway({ path: '/ws' })
class WorkGateway {
  readonly started = new Deferred();
  readonly work = new Deferred<string>();

  @SubscribeMessage('work')
  run(): Promise<string> {
    this.started.resolve();
    return this.work.promise;
  }
}

/** What an application closes before Nest comes to the node: it takes until the test says so. */
class SlowPool implements OnModuleDestroy {
  readonly closing = new Deferred();
  readonly closed = new Deferred();

  onModuleDestroy(): Promise<void> {
    this.closing.resolve();
    return this.closed.promise;
  }
}

describe.each(HTTP_FRAMEWORKS)('the health of a node on %s', (_name, httpAdapter) => {
  it('is up, with its figures, where nothing is wrong', async () => {
    const { app } = await startHealthy({ providers: [WorkGateway], httpAdapter });
    await app.connect('/ws');

    const channels = { status: 'up', state: 'up', broker: 'ready', loopDelayMs: 0, connections: 1 };
    expect(await ask(app)).toEqual({ status: 200, channels });
    expect(await ask(app, '/health/live')).toEqual({ status: 200, channels });
  });

  it('goes off in a shutdown while peers are still there, and the process lives on', async () => {
    const { app } = await startHealthy({ providers: [WorkGateway], httpAdapter });
    const gateway = app.nest.get(WorkGateway);
    const client = await app.connect('/ws');
    const answer = client.request('work');
    await gateway.started.promise;

    const closing = app.nest.close();
    const [ready, live] = [await ask(app), await ask(app, '/health/live')];
    gateway.work.resolve('done');
    await closing;

    const message = 'the node is draining';
    expect(ready).toMatchObject({
      status: 503,
      channels: { status: 'down', message, state: 'draining', connections: 1 },
    });
    expect(live).toMatchObject({ status: 200, channels: { status: 'up', state: 'draining' } });
    expect((await answer).data).toBe('done');
  });
});

describe('isReady', () => {
  it('is down before the node has started', async () => {
    let before: unknown;
    const { app } = await startHealthy({
      configure: (nest) => {
        before = nest.get(ChannelsHealthIndicator).isReady('node');
      },
    });

    expect(before).toMatchObject({
      node: { status: 'down', message: 'the node has not started', state: 'starting' },
    });
    expect(app.nest.get(ChannelsHealthIndicator).isReady('node')).toMatchObject({ node: { status: 'up' } });
  });

  it.each(['away', 'deaf'] as const)('is down while the broker is %s, and says why', async (state) => {
    const { app, broker } = await startHealthy();

    broker.turn(state, 'it was unplugged');
    const down = await ask(app);
    broker.turn('ready', 'it is back');

    const message = `the broker is ${state}: it was unplugged`;
    expect(down).toMatchObject({
      status: 503,
      channels: { status: 'down', message, state: 'up', broker: state },
    });
    expect(await ask(app)).toMatchObject({ status: 200, channels: { status: 'up', broker: 'ready' } });
  });

  it('is up where the event loop is late: the others would be late next', async () => {
    const { app, clock } = await startHealthy();

    clock.hold(MAX_LOOP_DELAY_MS + 1_000);
    await clock.advance(200);

    expect(await ask(app)).toMatchObject({
      status: 200,
      channels: { loopDelayMs: MAX_LOOP_DELAY_MS + 1_000 },
    });
  });

  it('is down while a hook of the application holds a shutdown up, before the node drains', async () => {
    const app = await startApp({
      imports: [TerminusModule.forRoot({ logger: false })],
      providers: [SlowPool, ChannelsHealthIndicator],
    });
    const [pool, indicator] = [app.nest.get(SlowPool), app.nest.get(ChannelsHealthIndicator)];

    const closing = app.nest.close();
    await pool.closing.promise;
    const [ready, live] = [indicator.isReady('node'), indicator.isLive('node')];
    const { state } = app.channels.health();
    pool.closed.resolve();
    await closing;

    const down = { status: 'down', message: 'the node is draining', state: 'draining' };
    expect([ready, live]).toMatchObject([{ node: down }, { node: { status: 'up', state: 'draining' } }]);
    // Negative control: the hook of the pool is awaited before that of the node.
    expect(state).toBe('up');
  });

  it('is down when the node has stopped', async () => {
    const { app } = await startHealthy();

    await app.nest.close();

    expect(app.nest.get(ChannelsHealthIndicator).isReady('node')).toMatchObject({
      node: { status: 'down', message: 'the node has stopped', state: 'stopped' },
    });
  });
});

describe('isLive', () => {
  it.each(['away', 'deaf'] as const)('is up while the broker is %s', async (state) => {
    const { app, broker } = await startHealthy();

    broker.turn(state, 'it was unplugged');

    expect(await ask(app, '/health/live')).toMatchObject({
      status: 200,
      channels: { status: 'up', broker: state },
    });
  });

  it('is up where the event loop was as late as it may be, and down a millisecond later', async () => {
    const { app, clock } = await startHealthy();

    clock.hold(MAX_LOOP_DELAY_MS);
    await clock.advance(200);
    const atLimit = await ask(app, '/health/live');
    clock.hold(MAX_LOOP_DELAY_MS + 1);
    await clock.advance(200);

    expect(atLimit).toMatchObject({ status: 200, channels: { loopDelayMs: MAX_LOOP_DELAY_MS } });
    expect(await ask(app, '/health/live')).toMatchObject({
      status: 503,
      channels: { status: 'down', message: 'the event loop was 5001 ms late, more than 5000' },
    });
  });

  it('takes another limit', async () => {
    const { app, clock } = await startHealthy();
    const indicator = app.nest.get(ChannelsHealthIndicator);

    clock.hold(300);
    await clock.advance(200);

    expect(indicator.isLive('node', { maxLoopDelayMs: 300 })).toMatchObject({ node: { status: 'up' } });
    expect(indicator.isLive('node', { maxLoopDelayMs: 299 })).toMatchObject({ node: { status: 'down' } });
  });

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses %s as a limit', async (limit) => {
    const { app } = await startHealthy();
    const indicator = app.nest.get(ChannelsHealthIndicator);

    expect(() => indicator.isLive('node', { maxLoopDelayMs: limit })).toThrow(
      `maxLoopDelayMs (${limit}) must be a whole number of at least 1, in milliseconds; leave it out for 5000.`,
    );
  });

  it('is down when the node has stopped', async () => {
    const { app } = await startHealthy();

    await app.nest.close();

    expect(app.nest.get(ChannelsHealthIndicator).isLive('node')).toMatchObject({
      node: { status: 'down', message: 'the node has stopped', state: 'stopped' },
    });
  });
});

describe('the timer of the indicator', () => {
  it('ends with the application', async () => {
    const { app, clock } = await startHealthy();
    const before = clock.pendingTimers;

    await app.nest.close();

    expect([before > 0, clock.pendingTimers]).toEqual([true, 0]);
  });
});

describe('the section Health of docs/operations.md', () => {
  const text = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8');

  it('names each figure, and none that there is not', async () => {
    const { app } = await startHealthy();

    const { status: _status, ...figures } = (await ask(app)).channels;
    const rows = readTable(text, '', ['figure', 'what it says', 'when it is red']);

    expect(rows.map(({ figure }) => figure)).toEqual(Object.keys(figures).map((name) => `\`${name}\``));
  });

  it('names the default of maxLoopDelayMs, and how long a silent Redis takes to be told', () => {
    const probeMs = Number(/^\| `probeIntervalMs` +\| `(\d+)`/m.exec(text)?.[1]);

    expect(text).toContain(`\`maxLoopDelayMs\` (${MAX_LOOP_DELAY_MS / 1_000} s)`);
    expect(text).toContain(`three times \`probeIntervalMs\` at the latest, ${(3 * probeMs) / 1_000} s with`);
  });
});

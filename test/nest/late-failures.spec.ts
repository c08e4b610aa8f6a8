import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { expect, it } from 'vitest';
import { LoggingObserver } from '../../lib/nest/logging.observer.js';
import { SystemClock } from '../../lib/nest/system-clock.js';
import { Deferred } from '../support/deferred.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { startApp } from '../support/start-app.js';

const release = new Deferred();

@WebSocketGateway({ path: '/ws' })
class SlowGateway {
  static running = 0;

  @SubscribeMessage('work')
  async work(): Promise<never> {
    SlowGateway.running++;
    await release.promise;
    throw new Error('the pool is closed');
  }
}

// All but the first one were counted, by a log that tells no counts any more.
it('has a line of each handler that fails when the shutdown is over', async () => {
  const logger = new RecordingLogger();
  const handled: string[] = [];
  const app = await startApp({
    providers: [SlowGateway],
    channels: {
      shutdownTimeoutMs: 1,
      drainWindowMs: 0,
      observers: [
        new LoggingObserver(logger, new SystemClock()),
        { handled: (_, event) => handled.push(event) },
      ],
    },
  });
  const client = await app.connect('/ws');
  for (let sent = 0; sent < 3; sent++) client.request('work').catch(() => undefined);
  await expect.poll(() => SlowGateway.running).toBe(3);

  await app.close();
  const before = [...logger.errors];
  release.resolve();

  await expect.poll(() => logger.errors.length).toBe(before.length + 3);
  for (const line of logger.errors.slice(before.length)) expect(line).toContain('the pool is closed');
  expect(handled).toEqual([]);
});

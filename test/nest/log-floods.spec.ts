import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { ConnectionClosed, TestClock } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { LoggingObserver } from '../../lib/nest/logging.observer.js';
import { SystemClock } from '../../lib/nest/system-clock.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { RecordingObserver } from '../support/recording-observer.js';
import { startApp } from '../support/start-app.js';

@WebSocketGateway({ path: '/ws' })
class QuietGateway {
  @SubscribeMessage('echo')
  echo(): string {
    return 'here';
  }
}

/** @param clock - one that stands still makes the lines a matter of kinds, not of how fast this machine is */
async function start(clock: Pick<SystemClock, 'now'> = new SystemClock()) {
  const logger = new RecordingLogger();
  const observer = new RecordingObserver();
  const logging = new LoggingObserver(logger, clock);
  const app = await startApp({ providers: [QuietGateway], channels: { observers: [logging, observer] } });
  return { app, logger, observer };
}

/** Of these each is wrong in a way of its own. */
const KINDS = [
  'no JSON',
  'null',
  '{"event":5}',
  '{"event":"nobody has this","id":1}',
  '{"event":"echo","id":3,"data":{"__proto__":1}}',
  '{"ack":"nobody has asked"}',
  `{"event":"echo","data":${'['.repeat(40)}}`,
];

describe('the log of a server', () => {
  it('has less than 20 lines of 100,000 bad frames', async () => {
    const { app, logger, observer } = await start(new TestClock());
    const plain = await Promise.all(Array.from({ length: 20 }, () => app.connect('/ws', { protocols: [] })));

    for (const [at, client] of plain.entries()) {
      for (let sent = 0; sent < 5_000; sent++) client.sendRaw(KINDS[(at + sent) % KINDS.length] as string);
      await client.request('echo');
    }

    expect(observer.faults).toHaveLength(100_000);
    await app.close();
    expect(logger.lines.length).toBeGreaterThan(2);
    expect(logger.lines.length).toBeLessThan(20);
    expect(logger.lines.join('\n')).toMatch(/bad_frame: and [\d,]+ more/);
  }, 60_000);

  it('has a few lines of many connections that are closed for it', async () => {
    const { app, logger } = await start();

    for (let at = 0; at < 100; at++) {
      const client = await app.connect('/ws');
      for (let sent = 0; sent < 10; sent++) client.sendRaw('no JSON');
      expect((await client.closed).code).toBe(4500);
    }

    await app.close();
    expect(logger.debugs.find((line) => line.startsWith('closed'))).toMatch(/ with 4500 bad_frame /);
    expect(logger.lines.length).toBeLessThan(20);
  });

  it('has one line of an event that would forge another, and counts what follows', async () => {
    const { app, logger } = await start();
    const client = await app.connect('/ws');

    await client.request('x\n[Nest] ERROR forged\u001b[2K\u202e', 'a secret');
    await client.request('y', 'a secret');

    expect(logger.debugs).toEqual([
      expect.stringMatching(/^opened /),
      expect.stringMatching(
        /^unknown_event "x\\n\[Nest\] ERROR forged\\u001b\[2K\\u202e" from [\w-]{22} on \/ws/,
      ),
    ]);
    await expect.poll(() => logger.debugs.at(-1), { timeout: 5_000 }).toContain('and 1 more');
    expect(logger.lines.join()).not.toContain('a secret');
  });

  it('has nothing of what a client does that it may do, but that it came', async () => {
    const { app, logger } = await start();
    const client = await app.connect('/ws');

    await client.request('echo');
    client.sendRaw('ping');
    await client.request('echo');

    expect(logger.lines).toEqual([expect.stringMatching(/^opened /)]);
    await client.close();
    await expect(client.request('echo')).rejects.toThrow(ConnectionClosed);
  });
});

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { LoadResult } from '../../lib/cli/load-result.js';
import { ensureBuilt } from '../support/app-process.js';
import { CommandProcess } from '../support/command-process.js';
import { freePort } from '../support/free-port.js';
import { guardedGateway } from '../support/guarded-gateway.js';
import { LoadGateway } from '../support/load-gateway.js';
import { RecordingObserver } from '../support/recording-observer.js';
import { startApp } from '../support/start-app.js';
import { temporaryFolder } from './sample-process.js';

const COMPILER_TIMEOUT_MS = 120_000;

const start = () => startApp({ providers: [LoadGateway] });

/** Runs the command to its end, and reads the file that it has written. */
async function load(url: string, ...args: readonly string[]) {
  const file = join(temporaryFolder(), 'result.json');
  const command = CommandProcess.start('load', url, '--json', file, ...args);
  const code = await command.ended;
  const result = JSON.parse(readFileSync(file, 'utf8')) as LoadResult;
  return { command, code, result };
}

/** Twelve connections in four rooms, three in each; twenty messages. */
const SMALL = ['--connections', '12', '--rooms', '4', '--rate', '20', '--duration', '1'];

beforeAll(ensureBuilt, COMPILER_TIMEOUT_MS);

describe('nestjs-channels load', () => {
  it('tells what all connections have seen of messages to rooms', async () => {
    const app = await start();

    const { code, command, result } = await load(app.url('/ws'), ...SMALL, '--event', 'chat.send');

    expect([code, command.err]).toEqual([0, '']);
    expect(result).toMatchObject({
      wasInterrupted: false,
      connections: { openedCount: 12, openAtEndCount: 12, refusedCount: 0, lostCount: 0 },
      joins: { joinedCount: 12, refusedCount: 0 },
      messages: { sentCount: 20, answeredCount: 20, failedCount: 0, unansweredCount: 0 },
      publications: {
        receivedCount: 60,
        deliveries: { expectedCount: 40, missingCount: 0, toSendersCount: 20 },
        deliveryMs: { count: 60 },
      },
      errorsByCode: {},
      tool: { connecting: { eventLoopDelayP99Ms: expect.any(Number) } },
    });
    expect(result.tool.connecting.cpuPercent).toBeGreaterThan(0);
    expect(command.out).toMatch(/^connections +12 of 12 opened/m);
    expect(command.out).toMatch(/^deliveries +40 expected by others +0 missing +20 to the senders$/m);
  });

  // Negative control: figures that are whole because nothing was counted would be so here as well.
  it('tells deliveries that are missing where a gateway does not publish what it takes', async () => {
    const app = await start();

    const { code, result } = await load(app.url('/ws'), ...SMALL, '--event', 'chat.lose');

    expect(code).toBe(0);
    expect(result.messages).toMatchObject({ sentCount: 20, answeredCount: 20 });
    expect(result.publications).toMatchObject({
      receivedCount: 30,
      deliveries: { expectedCount: 40, missingCount: 20, toSendersCount: 10 },
    });
  });

  it('does not miss what a gateway leaves out for the sender', async () => {
    const app = await start();

    const { result } = await load(app.url('/ws'), ...SMALL, '--event', 'chat.whisper');

    expect(result.publications.deliveries).toEqual({
      expectedCount: 40,
      missingCount: 0,
      toSendersCount: 0,
    });
  });

  it('tells messages that fail, by code, and expects nothing of them', async () => {
    const app = await start();

    const { result } = await load(app.url('/ws'), ...SMALL, '--event', 'chat.fail');

    expect(result.messages).toMatchObject({
      answeredCount: 0,
      failedCount: 20,
      failedByCode: { internal: 20 },
    });
    expect(result.publications.deliveries).toMatchObject({ expectedCount: 0, missingCount: 0 });
  });

  it('connects, joins and listens where it is given no event', async () => {
    const app = await start();

    const { code, result } = await load(
      app.url('/ws'),
      '--connections',
      '4',
      '--rooms',
      '2',
      '--per-connection',
      '2',
      '--duration',
      '0.1',
    );

    expect(code).toBe(0);
    expect(result.joins.joinedCount).toBe(8);
    expect(result.messages.sentCount).toBe(0);
    expect(result.publications.deliveries).toBeNull();
  });

  it('tells joins that are refused, by code', async () => {
    const app = await start();

    const { result } = await load(
      app.url('/ws'),
      '--connections',
      '3',
      '--rooms',
      '1',
      '--channel',
      'other:{room}',
      '--duration',
      '0.1',
    );

    expect(result.joins).toMatchObject({
      joinedCount: 0,
      refusedCount: 3,
      refusedByCode: { unknown_channel: 3 },
    });
  });

  it('ends with 1 where there are messages to send and no channel to send them to', async () => {
    const app = await start();

    const command = CommandProcess.start(
      'load',
      app.url('/ws'),
      '--event',
      'chat.send',
      '--channel',
      'other:{room}',
    );

    expect(await command.ended).toBe(1);
    expect(command.err).toContain(
      'The first connection cannot join other:room-1: unknown_channel; say which',
    );
  });

  it('says that the server is away, ends with 1, and writes nothing', async () => {
    const port = await freePort();
    const file = join(temporaryFolder(), 'result.json');

    const command = CommandProcess.start('load', `ws://127.0.0.1:${port}/ws`, '--json', file);

    expect(await command.ended).toBe(1);
    expect(command.err).toBe(
      `No connection to ws://127.0.0.1:${port}/ws: nobody listens there (ECONNREFUSED): start the server, or correct the port.\n`,
    );
    expect([command.out, existsSync(file)]).toEqual(['', false]);
  });

  it('leaves the file of an earlier run as it is where nothing was measured', async () => {
    const port = await freePort();
    const file = join(temporaryFolder(), 'result.json');
    writeFileSync(file, 'of an earlier run');

    const command = CommandProcess.start('load', `ws://127.0.0.1:${port}/ws`, '--json', file);

    expect([await command.ended, readFileSync(file, 'utf8')]).toEqual([1, 'of an earlier run']);
  });

  it('says that the path has no gateway, and ends with 1', async () => {
    const app = await start();

    const command = CommandProcess.start('load', app.url('/nowhere'));

    expect(await command.ended).toBe(1);
    expect(command.err).toContain('closed with 4504 not_found: no gateway has this path.');
  });

  it('ends with 2 for an option that cannot be used', async () => {
    const command = CommandProcess.start('load', 'ws://127.0.0.1:1/ws', '--rate', 'fast');

    expect(await command.ended).toBe(2);
    expect([command.out, command.err]).toEqual([
      '',
      expect.stringMatching(/^--rate \(fast\) must be a number/),
    ]);
  });

  it('tells what there is when it is stopped by Ctrl-C, and closes its connections', async () => {
    const recorder = new RecordingObserver();
    const app = await startApp({ providers: [LoadGateway], channels: { observers: [recorder] } });
    const { heard } = app.nest.get(LoadGateway);
    const file = join(temporaryFolder(), 'result.json');
    const args = ['--connections', '6', '--rooms', '2', '--rate', '50', '--event', 'chat.send'];

    const command = CommandProcess.start('load', app.url('/ws'), ...args, '--json', file);
    for (let count = 0; count < 5; count++) await heard.next();
    command.interrupt();
    const code = await command.ended;
    await recorder.until(({ closes }) => closes.length === 6);

    const result = JSON.parse(readFileSync(file, 'utf8')) as LoadResult;
    expect([code, result.wasInterrupted]).toEqual([130, true]);
    expect(result.messages.answeredCount).toBeGreaterThanOrEqual(5);
    expect(result.messages).toMatchObject({ failedCount: 0, unansweredCount: 0 });
    expect(result.publications.deliveries).toMatchObject({ missingCount: 0 });
    expect(command.out).toMatch(/^connections +6 of 6 opened/m);
    expect(new Set(recorder.closes.map((close) => close.code))).toEqual(new Set([1000]));
  });

  it('takes tokens in turn, and never repeats one', async () => {
    const seen: string[] = [];
    const gateway = guardedGateway((request) => {
      seen.push(String(request.headers.authorization));
      return true;
    });
    const app = await startApp({ providers: [gateway] });
    const file = join(temporaryFolder(), 'tokens');
    writeFileSync(file, 'secret-of-ada\nsecret-of-grace\n');

    const run = ['--connections', '4', '--rooms', '1', '--duration', '0.1', '--token-file', file];
    const { command, result } = await load(app.url('/ws'), ...run);

    expect(seen.toSorted()).toEqual(
      ['ada', 'ada', 'grace', 'grace'].map((name) => `Bearer secret-of-${name}`),
    );
    expect(result.options.tokens).toBe(2);
    expect(command.out + command.err + JSON.stringify(result)).not.toContain('secret-of');
  });

  it('counts connections that are lost and come back', async () => {
    const app = await startApp({ providers: [LoadGateway] });
    const { heard } = app.nest.get(LoadGateway);
    const file = join(temporaryFolder(), 'result.json');
    const args = ['--connections', '3', '--rooms', '1', '--rate', '20', '--duration', '4'];

    const command = CommandProcess.start(
      'load',
      app.url('/ws'),
      ...args,
      '--event',
      'chat.send',
      '--json',
      file,
    );
    await heard.next();
    await app.channels.disconnect({ channel: 'chat:room-1' }, { reconnect: true });
    await command.ended;

    const { connections, publications } = JSON.parse(readFileSync(file, 'utf8')) as LoadResult;
    expect(connections).toMatchObject({
      openedCount: 3,
      lostCount: 3,
      lostByCode: { 1012: 3 },
      cameBackCount: 3,
      openAtEndCount: 3,
    });
    // These rooms keep no history.
    expect(publications.gapCount).toBe(3);
  });
});

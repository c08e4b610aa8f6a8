import { describe, expect, it } from 'vitest';
import { everybody, startClientApp } from '../support/client-app.js';
import { openClient, outcomeOf } from '../support/client-rig.js';

/** One of each class, docs/protocol.md section 8; `unknown` ones obey their range. */
const COME_BACK = [
  ['going away', 1001],
  ['an internal error', 1011],
  ['a restart', 1012],
  ['no room', 1013],
  ['a bad gateway', 1014],
  ['an unknown code below 4000', 3000],
  ['an unknown code of 4000', 4000],
  ['a slow consumer', 4413],
  ['too many requests', 4429],
  ['an unknown code of 4499', 4499],
] as const;

const STAY_AWAY = [
  ['a normal end', 1000],
  ['unsupported data', 1003],
  ['a violated policy', 1008],
  ['a message too big', 1009],
  ['an unknown code of 4500', 4500],
  ['a forbidden place', 4503],
  ['a version that is not spoken', 4506],
  ['an unknown code of 4999', 4999],
] as const;

describe('a client whose server closes', () => {
  it.each(COME_BACK)('comes back after %s (%i)', async (_what, code) => {
    const { desk, url } = await startClientApp(everybody);
    const log = openClient(url);
    await log.reaches('open');

    log.client.emit('bye', code);
    const waiting = await log.reaches('waiting');
    const answer = await log.client.send('say', 'back again');

    expect(waiting).toMatchObject({ reason: 'closed_by_server', code, failures: 1, ordered: false });
    expect(answer).toBe('heard back again');
    expect(log.names).toEqual(['connecting', 'open', 'waiting', 'connecting', 'open']);
    expect(new Set(desk.clientIds).size).toBe(1);
  });

  it.each(STAY_AWAY)('stays away after %s (%i), and rejects what waits', async (_what, code) => {
    const { desk, url } = await startClientApp(everybody);
    const log = openClient(url);
    await log.reaches('open');

    const underWay = outcomeOf(log.client.send('hang'));
    log.client.emit('bye', code);
    const closed = await log.reaches('closed');

    expect(closed).toMatchObject({ reason: 'closed_by_server', code });
    expect(await underWay).toEqual({ code: 'closed', closeCode: code });
    expect(await outcomeOf(log.client.send('say', 'too late'))).toEqual({ code: 'closed', closeCode: code });
    expect(desk.clientIds).toHaveLength(1);
  });

  it('comes back by connect() after it was sent away', async () => {
    const { url } = await startClientApp(everybody);
    const log = openClient(url);
    await log.reaches('open');
    log.client.emit('bye', 4999);
    await log.reaches('closed');

    log.client.connect();

    expect(await log.client.send('say', 'called back')).toBe('heard called back');
  });

  it('rests after 4510 until somebody needs it', async () => {
    const { desk, url } = await startClientApp(everybody);
    const log = openClient(url);
    await log.reaches('open');
    log.client.emit('bye', 4510);
    await log.reaches('idle');

    const greetings = desk.clientIds.length;
    const answer = await log.client.send('say', 'awake');

    expect([greetings, answer]).toEqual([1, 'heard awake']);
    expect(log.names).toEqual(['connecting', 'open', 'idle', 'connecting', 'open']);
  });

  it('comes back by itself after 4510 where an answer is owed to it', async () => {
    const { desk, url } = await startClientApp(everybody);
    const log = openClient(url);
    await log.reaches('open');

    void outcomeOf(log.client.send('hang'));
    log.client.emit('bye', 4510);
    await desk.until(() => desk.dataOf('hang').length === 2);

    expect(desk.clientIds).toHaveLength(2);
  });

  it('gives up after maxRetries', async () => {
    const { app } = await startClientApp(everybody);
    const proxy = await app.proxy();
    proxy.refuse = true;

    const log = openClient(proxy.url('/ws'), { maxRetries: 3 });
    const closed = await log.reaches('closed');

    expect(closed.reason).toBe('gave_up');
    expect(log.times('connecting')).toBe(4);
  });
});

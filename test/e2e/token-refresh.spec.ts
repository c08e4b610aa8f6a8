import { ChannelsClient } from 'nestjs-channels/client';
import type { TestClock } from 'nestjs-channels/testing';
import { expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { SystemClock } from '../../lib/nest/system-clock.js';
import { ClientLog } from '../support/client-rig.js';
import { TokenRig } from '../support/token-rig.js';

/** Long enough that a busy machine renews in time: between 8 and 9 s of 10. */
const TOKEN_S = 10;
const RUN_MS = 21_000;
const EVERY_MS = 10;

/** Tokens, publications and messages as they come; two refreshes fall into the run. */
it('loses and doubles no publication and no acked message while tokens are renewed', async () => {
  const rig = await TokenRig.start({}, new SystemClock() as unknown as TestClock);
  const asked: boolean[] = [];
  const client = new ChannelsClient(rig.app.url('/ws'), {
    WebSocket,
    token: ({ refresh }) => {
      asked.push(refresh);
      return rig.token(TOKEN_S);
    },
  });
  onTestFinished(() => client.close());
  const log = new ClientLog(client);
  const heard: unknown[] = [];
  const channel = client.channel('room:a');
  channel.on('news', (data) => heard.push(data));
  await channel.subscribe();

  const answers: Promise<unknown>[] = [];
  const endsAt = performance.now() + RUN_MS;
  for (let at = 0; performance.now() < endsAt; at += 1) {
    answers.push(client.send('count', at));
    // One after the other, at a rate.
    await rig.app.channels.publish('room:a', 'news', at);
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
  const answered = await Promise.all(answers);
  await expect.poll(() => heard.length, { timeout: 10_000 }).toBe(answers.length);

  const all = answers.map((_, at) => at);
  expect(answered).toEqual(all);
  expect(heard).toEqual(all);
  expect(rig.desk.seen.filter((line) => line.startsWith('count'))).toEqual(all.map((at) => `count ${at}`));
  expect(asked.length).toBeGreaterThanOrEqual(3);
  expect(asked.slice(1).every(Boolean)).toBe(true);
  expect(log.states.map(({ name }) => name)).toEqual(['connecting', 'open']);
}, 60_000);

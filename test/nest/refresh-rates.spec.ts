import { Injectable, UseGuards, type CanActivate } from '@nestjs/common';
import { ThrottlerModule } from '@nestjs/throttler';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import {
  ChannelsError,
  RateLimit,
  SubscribeChannel,
  UseHandshakeGuards,
  type ChannelsModuleOptions,
} from 'nestjs-channels';
import { TestClock, type TestClient } from 'nestjs-channels/testing';
import { ChannelsThrottlerGuard } from 'nestjs-channels/throttler';
import { describe, expect, it } from 'vitest';
import { RecordingObserver } from '../support/recording-observer.js';
import { startApp } from '../support/start-app.js';
import { ClaimsGuard, Desk, TokenRig } from '../support/token-rig.js';

const ROOMS = ['a', 'b', 'c'];

@Injectable()
class Judge implements CanActivate {
  refusal: Error | undefined;

  canActivate(): boolean {
    if (this.refusal) throw this.refusal;
    return true;
  }
}

@WebSocketGateway({ path: '/ws' })
@UseHandshakeGuards(ClaimsGuard)
class LimitedGateway {
  constructor(private readonly desk: Desk) {}

  @SubscribeChannel('own:{room}')
  @RateLimit({ points: 3, perMs: 60_000 })
  own(): void {
    this.desk.seen.push('own');
  }

  @SubscribeChannel('all:{room}')
  @RateLimit({ points: 3, perMs: 60_000, per: 'principal' })
  all(): void {
    this.desk.seen.push('all');
  }

  @SubscribeChannel('throttled:{room}')
  @UseGuards(ChannelsThrottlerGuard)
  throttled(): void {
    this.desk.seen.push('throttled');
  }

  @SubscribeChannel('judged:{room}')
  @UseGuards(Judge)
  judged(): void {
    this.desk.seen.push('judged');
  }

  @SubscribeMessage('echo')
  echo(): string {
    return 'echo';
  }
}

async function enter(names: readonly string[]) {
  const clock = new TestClock();
  const observer = new RecordingObserver();
  const app = await startApp({
    imports: [ThrottlerModule.forRoot([{ limit: 3, ttl: 60_000 }])],
    providers: [LimitedGateway, ClaimsGuard, Desk, Judge],
    channels: { observers: [observer] },
    clock,
  });
  const rig = new TokenRig(app, clock);
  const client = await rig.enter(600);
  for (const name of names) expect((await client.subscribe(name)).error).toBeUndefined();
  rig.desk.seen.length = 0;
  return { rig, client, observer };
}

/** All channels have been asked again when a command that stands behind has been answered. */
async function leaveAll(client: TestClient, names: readonly string[]): Promise<unknown[]> {
  const answers = await Promise.all(names.map((name) => client.unsubscribe(name)));
  return answers.map(({ error }) => error?.code);
}

describe('a channel that is asked again', () => {
  it.each(['own', 'all'])('costs no point of @RateLimit() (%s): nobody has asked for it', async (kind) => {
    const names = ROOMS.map((room) => `${kind}:${room}`);
    const { rig, client, observer } = await enter(names);

    const { error } = await client.request('$refresh', { token: rig.token(600) });

    expect(error).toBeUndefined();
    expect(await leaveAll(client, names)).toEqual([undefined, undefined, undefined]);
    expect(rig.desk.seen).toEqual([kind, kind, kind]);
    expect([observer.faults, observer.closes]).toEqual([[], []]);
  });

  it('leaves the points of @RateLimit() as they are', async () => {
    const { rig, client } = await enter(['own:a']);
    await client.request('$refresh', { token: rig.token(600) });

    const answers = [];
    for (const room of ['b', 'c', 'd']) answers.push(await client.subscribe(`own:${room}`));

    expect(answers.map(({ error }) => error?.code)).toEqual([undefined, undefined, 'rate_limited']);
  });

  it('stays where the ChannelsThrottlerGuard refuses it: nobody has decided otherwise', async () => {
    const names = ROOMS.map((room) => `throttled:${room}`);
    const { rig, client, observer } = await enter(names);

    const { error } = await client.request('$refresh', { token: rig.token(600) });

    expect(error).toBeUndefined();
    expect((await client.subscribe('throttled:d')).error).toMatchObject({ code: 'rate_limited' });
    expect(await leaveAll(client, names)).toEqual([undefined, undefined, undefined]);
    expect([rig.desk.seen, observer.closes]).toEqual([[], []]);
  });

  it.each([
    ['unavailable', new ChannelsError('unavailable', 'the database is away')],
    ['timeout', new ChannelsError('timeout', 'too late')],
  ])('ends the connection with 1013 where the refusal is %s, which is no limit', async (_code, refusal) => {
    const { rig, client } = await enter(['judged:a']);
    rig.app.nest.get(Judge).refusal = refusal;

    await client.request('$refresh', { token: rig.token(600) });

    expect(await client.closed).toMatchObject({ code: 1013 });
  });
});

describe('a channel about which a limit of the application refuses to decide', () => {
  const limited = new ChannelsError('rate_limited', 'later', { retryAfterMs: 500 });

  it('is asked about once more when the limit has room, and goes on until then', async () => {
    const { rig, client } = await enter(['judged:a']);
    const judge = rig.app.nest.get(Judge);
    judge.refusal = limited;
    await client.request('$refresh', { token: rig.token(600) });
    await rig.clock.advance(499);
    await rig.app.channels.publish('judged:a', 'news', 1);
    expect(await client.waitFor({ channel: 'judged:a' })).toMatchObject({ data: 1 });

    judge.refusal = new ChannelsError('forbidden', 'not any more');
    await rig.clock.advance(1);

    expect(await client.waitFor({ event: '$unsubscribed' })).toMatchObject({ data: { code: 'forbidden' } });
  });

  it('ends the connection with 1013 where it refuses again: nobody stays for good by it', async () => {
    const { rig, client } = await enter(['judged:a']);
    rig.app.nest.get(Judge).refusal = limited;

    await client.request('$refresh', { token: rig.token(600) });
    await client.request('echo');
    await rig.clock.advance(500);

    expect(await client.closed).toMatchObject({ code: 1013 });
  });

  it('ends the connection with 1013 at the second refusal, whoever has asked', async () => {
    const { rig, client } = await enter(['judged:a']);
    rig.app.nest.get(Judge).refusal = new ChannelsError('rate_limited', 'later', { retryAfterMs: 5_000 });
    await client.request('$refresh', { token: rig.token(600) });
    // By then it may be refreshed again, and the question of the first one is still to come.
    await client.request('echo');
    await rig.clock.advance(1_000);
    await rig.app.channels.publish('judged:a', 'news', 1);
    expect(await client.waitFor({ channel: 'judged:a' })).toMatchObject({ data: 1 });

    await client.request('$refresh', { token: rig.token(600) });

    expect(await client.closed).toMatchObject({ code: 1013 });
  });

  it('has its question where it passes, and one more where a later limit refuses', async () => {
    const { rig, client } = await enter(['judged:a']);
    const judge = rig.app.nest.get(Judge);
    judge.refusal = limited;
    await client.request('$refresh', { token: rig.token(600) });
    await client.request('echo');
    judge.refusal = undefined;
    await rig.clock.advance(1_000);
    await client.request('echo');
    judge.refusal = limited;

    await client.request('$refresh', { token: rig.token(600) });
    await client.request('echo');
    await rig.app.channels.publish('judged:a', 'news', 1);

    expect(await client.waitFor({ channel: 'judged:a' })).toMatchObject({ data: 1 });
  });
});

describe('the time between two $refresh', () => {
  /** What `$refresh` answers so long after the first one, of somebody in `count` channels. */
  async function again(count: number, afterMs: number, channels: ChannelsModuleOptions = {}) {
    const rig = await TokenRig.start(channels);
    const client = await rig.enter(600);
    for (let at = 0; at < count; at++) await client.subscribe(`room:${at}`);
    await client.request('$refresh', { token: rig.token(600) });
    await rig.clock.advance(afterMs);
    rig.desk.seen.length = 0;
    const { error } = await client.request('$refresh', { token: rig.token(600) });
    // Behind what was asked again.
    await client.unsubscribe(`room:${count - 1}`);
    return { error, joins: rig.desk.seen.filter((line) => line.startsWith('join')).length };
  }

  it.each([
    ['of no channel', 0, 1_000, {}],
    ['of as many channels as may be joined in that time', 20, 1_000, {}],
    ['of one more', 21, 1_050, {}],
    ['of 128 channels', 128, 6_400, {}],
    ['of as many with another rate', 128, 1_280, { subscriptionsPerSecond: 100 }],
    ['of as many without a rate', 128, 1_000, { subscriptionsPerSecond: 0 }],
  ])('%s is what the rate of joins could have paid for', async (_what, count, ms, channels) => {
    const early = await again(count, ms - 1, channels);
    const late = await again(count, ms, channels);

    expect(early.error).toMatchObject({ code: 'rate_limited', retryable: true, retryAfterMs: 1 });
    expect(early.joins).toBe(0);
    expect(late).toEqual({ error: undefined, joins: count });
  });

  it('tells the rest of it to one that comes at once', async () => {
    expect((await again(128, 0)).error).toMatchObject({ code: 'rate_limited', retryAfterMs: 6_400 });
  });

  it('does not count channels that the server has joined, which are not asked', async () => {
    const rig = await TokenRig.start({ maxChannelsPerConnection: 64 });
    const client = await rig.enter(600);
    for (let at = 0; at < 40; at++) await client.request('enter', `server:${at}`);

    await client.request('$refresh', { token: rig.token(600) });
    await rig.clock.advance(1_000);

    expect((await client.request('$refresh', { token: rig.token(600) })).error).toBeUndefined();
  });

  it('is not longer behind one that was refused', async () => {
    const rig = await TokenRig.start();
    const client = await rig.enter(600);
    for (let at = 0; at < 40; at++) await client.subscribe(`room:${at}`);

    await client.request('$refresh', { token: 'refused' });
    await rig.clock.advance(1_000);

    expect((await client.request('$refresh', { token: rig.token(600) })).error).toBeUndefined();
  });
});

describe('a $refresh over the rate of messages', () => {
  const RATES = {
    ...{ messagesPerSecond: 10, messageBurst: 4 },
    ...{ maxChannelsPerConnection: 2, maxInFlight: 2, maxRefusals: 3 },
  };

  it.each([
    ['of messages', {}],
    ['of bytes', { messagesPerSecond: 0, bytesPerSecond: 10, byteBurst: 600 }],
  ])('passes by it (%s), on credit', async (_what, rates) => {
    const rig = await TokenRig.start({ ...RATES, ...rates });
    const client = await rig.enter(60);
    let before;
    do before = await client.request('who', 'x'.repeat(80));
    while (!before.error);

    const answer = await client.request('$refresh', { token: rig.token(60) });

    expect(before.error).toMatchObject({ code: 'rate_limited' });
    expect(answer).toMatchObject({ data: { expiresInMs: 60_000 } });
  });

  it.each([
    ['tokens that are good', (rig: TokenRig) => ({ token: rig.token(60) })],
    ['tokens that are refused', () => ({ token: 'refused' })],
    ['what is no token', () => ({ token: '' })],
  ])('does so once a second: who floods with %s is closed', async (_what, give) => {
    const observer = new RecordingObserver();
    const rig = await TokenRig.start({ ...RATES, observers: [observer] });
    const client = await rig.enter(60);

    // Those within the burst, and one on credit: the rest is refused before it is looked at.
    const refusals = RATES.maxChannelsPerConnection + RATES.maxInFlight + RATES.maxRefusals;
    const rated = (): number => observer.faults.filter((kind) => kind === 'message_rate').length;

    for (let at = 0; at < 50; at++) client.send({ event: '$refresh', id: at, data: give(rig) });
    await observer.until(() => rated() === refusals);
    await rig.clock.advance(1_000);

    expect(await client.closed).toMatchObject({ code: 4429 });
    expect(rated()).toBe(refusals);
  });
});

import { Injectable, UseGuards, type CanActivate } from '@nestjs/common';
import { ThrottlerModule } from '@nestjs/throttler';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { ChannelsError, RateLimit, SubscribeChannel, UseHandshakeGuards } from 'nestjs-channels';
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

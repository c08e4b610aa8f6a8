import {
  BadRequestException,
  Catch,
  ConflictException,
  UseFilters,
  UseGuards,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
} from '@nestjs/common';
import { WebSocketGateway, WsException } from '@nestjs/websockets';
import { ChannelsError, SubscribeChannel } from 'nestjs-channels';
import { describe, expect, it } from 'vitest';
import { RecordingObserver } from '../support/recording-observer.js';
import { enter, framesOf, startRoom } from '../support/room.js';
import { startApp } from '../support/start-app.js';

describe('guards of a channel', () => {
  class Verdicts {
    readonly asked: unknown[] = [];
    method = true;
    gateway = true;
  }

  class MethodGuard implements CanActivate {
    canActivate(): boolean {
      return verdicts.method;
    }
  }

  class GatewayGuard implements CanActivate {
    canActivate(context: ExecutionContext): Promise<boolean> {
      const ws = context.switchToWs();
      verdicts.asked.push([context.getType(), context.getHandler().name, ws.getData(), ws.getPattern()]);
      return Promise.resolve(verdicts.gateway);
    }
  }

  let verdicts = new Verdicts();

  @WebSocketGateway({ path: '/ws' })
  @UseGuards(GatewayGuard)
  class GuardedGateway {
    @SubscribeChannel('guarded:{room}')
    @UseGuards(MethodGuard)
    joinGuarded(): string {
      return 'in';
    }
  }

  async function connect() {
    verdicts = new Verdicts();
    const app = await startApp({ providers: [GuardedGateway] });
    return { app, client: await app.connect('/ws') };
  }

  it.each(['method', 'gateway'] as const)('refuse the join with forbidden: of the %s', async (guard) => {
    const { app, client } = await connect();
    verdicts[guard] = false;

    const { error } = await client.subscribe('guarded:1');
    await app.channels.publish('guarded:1', 'message', 'secret');

    expect(error).toEqual({ code: 'forbidden', message: 'Forbidden resource', retryable: false });
    expect(await framesOf(client)).toHaveLength(1);
    expect((await app.channels.subscribers('guarded:1')).subscribers).toEqual([]);
  });

  it('see a message of Nest: the params, the pattern, the method', async () => {
    const { client } = await connect();

    const ack = await client.subscribe('guarded:1', { params: { key: 1 } });

    expect(ack.data).toEqual({ channel: 'guarded:1', data: 'in' });
    expect(verdicts.asked).toEqual([['ws', 'joinGuarded', { key: 1 }, 'guarded:{room}']]);
  });
});

describe('a @SubscribeChannel method that throws', () => {
  it.each([
    [
      'an HttpException',
      new BadRequestException(['name must be short']),
      { code: 'bad_request', details: { statusCode: 400, message: ['name must be short'] } },
    ],
    ['another HttpException', new ConflictException('taken'), { code: 'conflict', message: 'taken' }],
    ['a WsException', new WsException('no'), { code: 'bad_request', message: 'no' }],
    [
      'a WsException with a code',
      new WsException({ code: 'unauthorized', message: 'who?', realm: 'a' }),
      { code: 'unauthorized', message: 'who?', details: { realm: 'a' } },
    ],
    [
      'a ChannelsError',
      new ChannelsError('unavailable', 'later', { retryAfterMs: 5, details: { queue: 3 } }),
      { code: 'unavailable', message: 'later', retryable: true, retryAfterMs: 5, details: { queue: 3 } },
    ],
    [
      'a ChannelsError whose details have no JSON',
      new ChannelsError('conflict', 'taken', { details: { by: 1n } }),
      { code: 'conflict', message: 'taken' },
    ],
  ])('refuses the join with the error: %s', async (_what, thrown, expected) => {
    const rig = await startRoom();
    const answer = rig.client.subscribe('room:1');

    (await rig.room.joins.next()).reject(thrown);

    expect((await answer).error).toMatchObject(expected);
    expect(rig.room.leaves.all).toEqual([]);
    expect((await rig.app.channels.subscribers('room:1')).subscribers).toEqual([]);
  });

  it.each([
    ['an Error', new Error('the password is hunter2')],
    ['nothing', undefined],
    ['an object without a prototype', Object.create(null) as unknown],
  ])('hides what is no exception of Nest and reports it: %s', async (_what, thrown) => {
    const observer = new RecordingObserver();
    const rig = await startRoom({ channels: { observers: [observer] } });
    const answer = rig.client.subscribe('room:1');

    (await rig.room.joins.next()).reject(thrown);

    const { error } = await answer;
    const [failure] = observer.failures;
    expect(error).toEqual({
      code: 'internal',
      message: `Internal server error (${failure?.correlationId})`,
      retryable: false,
    });
    expect(failure).toMatchObject({ where: '$subscribe', error: thrown });
  });
});

describe('a @SubscribeChannel method whose state cannot be encoded', () => {
  const circular: Record<string, unknown> = {};
  circular['self'] = circular;

  it.each([
    ['is circular', circular],
    ['has a BigInt', { count: 1n }],
    [
      'has a getter that throws',
      {
        get state(): never {
          throw new Error('not now');
        },
      },
    ],
  ])('has joined and left, and the client is told internal: it %s', async (_what, state) => {
    const observer = new RecordingObserver();
    const rig = await startRoom({ channels: { observers: [observer] } });

    const { error } = await enter(rig, 'room:1', state);
    const left = await rig.room.leaves.next();
    await rig.app.channels.publish('room:1', 'message', 'not for us');

    expect(error).toMatchObject({ code: 'internal', retryable: false });
    expect(observer.failures).toHaveLength(1);
    expect(left).toEqual({ channel: 'room:1', reason: 'refused' });
    expect(await framesOf(rig.client)).toHaveLength(1);
    expect(rig.room.leaves.all).toHaveLength(1);
  });
});

// The return value of a filter is an answer to a message. Of a channel it must not open the door that a
// guard has shut.
describe('a local filter that returns an answer', () => {
  @Catch(WsException)
  class ForgivingFilter implements ExceptionFilter {
    catch(): unknown {
      return { forgiven: true };
    }
  }

  @Catch(ConflictException)
  class SlowlyForgivingFilter implements ExceptionFilter {
    catch(): Promise<unknown> {
      return Promise.resolve({ forgiven: true });
    }
  }

  @Catch(BadRequestException)
  class StrictFilter implements ExceptionFilter {
    catch(): Promise<never> {
      return Promise.reject(new ChannelsError('unauthorized', 'say it otherwise'));
    }
  }

  class No implements CanActivate {
    canActivate(): boolean {
      return false;
    }
  }

  @WebSocketGateway({ path: '/ws' })
  @UseFilters(ForgivingFilter, SlowlyForgivingFilter, StrictFilter)
  class FilteredGateway {
    @SubscribeChannel('guarded')
    @UseGuards(No)
    joinGuarded(): void {}

    @SubscribeChannel('thrown')
    joinThrown(): never {
      throw new ConflictException('taken');
    }

    @SubscribeChannel('translated')
    joinTranslated(): never {
      throw new BadRequestException('no');
    }
  }

  it.each([
    ['guarded', 'forbidden'],
    ['thrown', 'conflict'],
    ['translated', 'unauthorized'],
  ])('does not let a client in: %s', async (channel, code) => {
    const app = await startApp({ providers: [FilteredGateway] });
    const client = await app.connect('/ws');

    const { error } = await client.subscribe(channel);
    await app.channels.publish(channel, 'message', 'secret');

    expect(error).toMatchObject({ code });
    expect(await framesOf(client)).toHaveLength(1);
  });
});

import { setImmediate as nextTurn } from 'node:timers/promises';
import { ParseIntPipe, UseGuards, type CanActivate } from '@nestjs/common';
import { ConnectedSocket, MessageBody, WebSocketGateway } from '@nestjs/websockets';
import {
  ChannelName,
  ChannelParam,
  ChannelSocket,
  SubscribeChannel,
  UnsubscribeChannel,
  type ChannelsModuleOptions,
} from 'nestjs-channels';
import { TestClock, type ChannelsTestApp, type TestClient } from 'nestjs-channels/testing';
import { EMPTY } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Arrivals } from '../support/arrivals.js';
import { Deferred } from '../support/deferred.js';
import { RecordingObserver } from '../support/recording-observer.js';
import { framesOf, publication } from '../support/room.js';
import { startApp } from '../support/start-app.js';

/** What the `@UnsubscribeChannel` method does. */
class Script {
  leave: () => unknown = () => undefined;
}

@WebSocketGateway({ path: '/ws' })
class ScriptedGateway {
  constructor(private readonly script: Script) {}

  @SubscribeChannel('doc:{id}')
  join(): void {}

  @UnsubscribeChannel('doc:{id}')
  leave(): unknown {
    return this.script.leave();
  }
}

interface Rig {
  readonly app: ChannelsTestApp;
  readonly client: TestClient;
  readonly observer: RecordingObserver;
}

async function start(
  leave: () => unknown,
  channels?: ChannelsModuleOptions,
  clock?: TestClock,
): Promise<Rig> {
  const observer = new RecordingObserver();
  const script = Object.assign(new Script(), { leave });
  const app = await startApp({
    providers: [ScriptedGateway, { provide: Script, useValue: script }],
    channels: { ...channels, observers: [observer] },
    clock,
  });
  const client = await app.connect('/ws');
  await client.subscribe('doc:7');
  return { app, client, observer };
}

describe('an @UnsubscribeChannel method', () => {
  it('gets the name of the channel, its parameters, the reason and the client', async () => {
    const leaves = new Arrivals<unknown>();
    @WebSocketGateway({ path: '/ws' })
    class Gateway {
      @SubscribeChannel('doc:{id}')
      join(): void {}

      @UnsubscribeChannel('doc:{id}')
      leave(
        @ChannelName() name: string,
        @ChannelParam('id', ParseIntPipe) id: number,
        @MessageBody() body: unknown,
        @ConnectedSocket() client: ChannelSocket,
      ): void {
        leaves.add([name, id, body, client.channels]);
      }
    }
    const app = await startApp({ providers: [Gateway] });
    const client = await app.connect('/ws');
    await client.subscribe('doc:7');

    await client.unsubscribe('doc:7');

    expect(await leaves.next()).toEqual(['doc:7', 7, { reason: 'unsubscribed' }, []]);
  });

  it('runs whatever the guards of its class and its own say', async () => {
    let allowed = true;
    const leaves = new Arrivals<string>();
    class Guard implements CanActivate {
      canActivate(): boolean {
        return allowed;
      }
    }
    @WebSocketGateway({ path: '/ws' })
    @UseGuards(Guard)
    class Gateway {
      @SubscribeChannel('doc:{id}')
      join(): void {}

      @UnsubscribeChannel('doc:{id}')
      @UseGuards(Guard)
      leave(@ChannelName() name: string): void {
        leaves.add(name);
      }
    }
    const app = await startApp({ providers: [Gateway] });
    const client = await app.connect('/ws');
    await client.subscribe('doc:7');

    allowed = false;
    const { data } = await client.unsubscribe('doc:7');

    expect(data).toEqual({ channel: 'doc:7' });
    expect(leaves.all).toEqual(['doc:7']);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('broken clean-up');
      },
    ],
    ['rejects', () => Promise.reject(new Error('broken clean-up'))],
  ])('that %s is reported, and the client is out all the same', async (_what, leave) => {
    const { app, client, observer } = await start(leave);

    const { data } = await client.unsubscribe('doc:7');
    await app.channels.publish('doc:7', 'message', 'too late');
    const again = await client.subscribe('doc:7');

    expect(data).toEqual({ channel: 'doc:7' });
    expect(observer.failures).toMatchObject([
      { where: '@UnsubscribeChannel doc:7', error: { message: 'broken clean-up' } },
    ]);
    expect(again.data).toEqual({ channel: 'doc:7' });
    expect(await framesOf(client)).toHaveLength(3);
  });

  it('that throws when the connection ends is reported, and harms nobody else', async () => {
    const { app, client, observer } = await start(() => {
      throw new Error('broken clean-up');
    });
    const other = await app.connect('/ws');
    await other.subscribe('doc:7');

    client.terminate();
    await observer.until(({ failures }) => failures.length === 1);
    await app.channels.publish('doc:7', 'message', 'still here');

    expect((await framesOf(other)).at(-1)).toEqual(publication('doc:7', 'still here'));
  });

  it('is awaited before the ack of $unsubscribe', async () => {
    const cleanUp = new Deferred();
    const { app, client } = await start(() => cleanUp.promise);
    onTestFinished(() => cleanUp.resolve());
    const leaving = client.unsubscribe('doc:7');

    const before = await framesOf(client);
    await app.channels.publish('doc:7', 'message', 'not for one who is leaving');
    cleanUp.resolve();

    expect(before).toHaveLength(1);
    expect((await leaving).data).toEqual({ channel: 'doc:7' });
    expect(await framesOf(client)).toHaveLength(2);
  });

  it('that takes longer than handlerTimeoutMs is reported and not waited for', async () => {
    const clock = new TestClock();
    const cleanUp = new Deferred();
    const { client, observer } = await start(() => cleanUp.promise, { handlerTimeoutMs: 5_000 }, clock);
    onTestFinished(() => cleanUp.resolve());
    const leaving = client.unsubscribe('doc:7');
    await framesOf(client);

    await clock.advance(5_000);

    expect((await leaving).data).toEqual({ channel: 'doc:7' });
    expect(observer.failures).toMatchObject([{ error: { code: 'timeout' } }]);
  });

  it('that fails behind its timeout is reported for that as well', async () => {
    const clock = new TestClock();
    const cleanUp = new Deferred();
    const { client, observer } = await start(() => cleanUp.promise, { handlerTimeoutMs: 5_000 }, clock);
    onTestFinished(() => cleanUp.resolve());
    const leaving = client.unsubscribe('doc:7');
    await framesOf(client);
    await clock.advance(5_000);
    await leaving;

    cleanUp.reject(new Error('broken clean-up'));
    await observer.until(({ failures }) => failures.length === 2);

    expect(observer.failures).toMatchObject([
      { where: '@UnsubscribeChannel doc:7', error: { code: 'timeout' } },
      { where: '@UnsubscribeChannel doc:7', error: { message: 'broken clean-up' } },
    ]);
  });

  it('that hangs does not take the place of another channel', async () => {
    const cleanUp = new Deferred();
    const { client } = await start(() => cleanUp.promise, {
      maxChannelsPerConnection: 1,
      subscriptionsPerSecond: 0,
    });
    onTestFinished(() => cleanUp.resolve());
    const leaving = client.unsubscribe('doc:7');

    const { error } = await client.subscribe('doc:8');
    const { error: again } = await client.subscribe('doc:7');
    cleanUp.resolve();
    await leaving;

    expect(error).toBeUndefined();
    expect(again).toMatchObject({ code: 'limit_exceeded' });
  });

  it('that returns an Observable is done when that has ended', async () => {
    const { client, observer } = await start(() => EMPTY);

    const { data } = await client.unsubscribe('doc:7');

    expect(data).toEqual({ channel: 'doc:7' });
    expect(observer.failures).toEqual([]);
  });

  it('holds up a shutdown, and has run when that ends', async () => {
    const [begun, cleanUp] = [new Deferred(), new Deferred()];
    const ended: string[] = [];
    const { app, client } = await start(() => {
      begun.resolve();
      return cleanUp.promise.then(() => ended.push('clean-up'));
    });

    const closing = app.nest.close().then(() => ended.push('shutdown'));
    await Promise.all([begun.promise, client.closed]);
    // Time for a shutdown that does not wait.
    for (let turns = 0; turns < 10; turns++) await nextTurn();
    cleanUp.resolve();
    await closing;

    expect(ended).toEqual(['clean-up', 'shutdown']);
  });
});

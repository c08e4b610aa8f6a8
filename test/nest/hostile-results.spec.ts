import { HttpException } from '@nestjs/common';
import { ConnectedSocket, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { ChannelsError, ChannelSocket, SubscribeChannel } from 'nestjs-channels';
import { TestClock } from 'nestjs-channels/testing';
import { Observable } from 'rxjs';
import type { WebSocket } from 'ws';
import { describe, expect, it } from 'vitest';
import { watchProcess } from '../support/process-faults.js';
import { RecordingObserver } from '../support/recording-observer.js';
import { startApp } from '../support/start-app.js';

let living = 0;

@WebSocketGateway({ path: '/ws' })
class ResultsGateway {
  readonly sockets: ChannelSocket[] = [];

  handleConnection(client: ChannelSocket): void {
    this.sockets.push(client);
  }

  @SubscribeMessage('teardown')
  teardown(): Observable<number> {
    return new Observable((subscriber) => {
      subscriber.next(1);
      return () => {
        throw new Error('teardown');
      };
    });
  }

  @SubscribeMessage('retry')
  retry(): void {
    throw new ChannelsError('rate_limited', 'slower', { retryAfterMs: 10n as never });
  }

  @SubscribeMessage('text')
  async text(): Promise<void> {
    throw new HttpException({ message: 10n }, 400);
  }

  @SubscribeChannel('never:{x}')
  never(): Observable<void> {
    return new Observable(() => {
      living++;
      return () => void living--;
    });
  }

  @SubscribeChannel('broken:{x}')
  broken(): void {
    throw new ChannelsError('forbidden', 'no', { details: 10n });
  }

  @SubscribeMessage('listen')
  listen(@ConnectedSocket() client: ChannelSocket): void {
    (client as unknown as WebSocket).on('message', () => {
      throw new Error('a listener');
    });
  }

  @SubscribeMessage('echo')
  echo(): string {
    return 'here';
  }
}

async function start() {
  const processFaults = watchProcess();
  const observer = new RecordingObserver();
  const clock = new TestClock();
  const app = await startApp({ providers: [ResultsGateway], channels: { observers: [observer] }, clock });
  return { app, clock, observer, processFaults };
}

describe('what a handler leaves behind', () => {
  it('reports a stream that throws when nobody wants it any more, and forgets the connection', async () => {
    const { app, observer, processFaults } = await start();
    const client = await app.connect('/ws');
    client.send({ event: 'teardown', id: 1 });
    await client.waitFor({ ack: 1, more: true });

    await client.close();
    await observer.until(({ failures, closes }) => failures.length > 0 && closes.length > 0);

    expect(observer.failures).toMatchObject([{ where: 'teardown' }]);
    expect((await app.channels.connections()).connections).toEqual([]);
    expect(processFaults).toEqual([]);
  });

  it.each(['retry', 'text'])('answers with the code when the error itself has no JSON: %s', async (event) => {
    const { app, processFaults } = await start();
    const client = await app.connect('/ws');

    const { error } = (await client.request(event)) as { error: { code: string } };

    expect(error.code).toBe(event === 'retry' ? 'rate_limited' : 'bad_request');
    expect(await client.request('echo')).toMatchObject({ data: 'here' });
    expect(processFaults).toEqual([]);
  });

  it('goes on with a channel whose refusal has no JSON', async () => {
    const { app } = await start();
    const client = await app.connect('/ws');

    const refusals = [await client.subscribe('broken:1'), await client.subscribe('broken:1')];

    expect(refusals).toMatchObject([{ error: { code: 'forbidden' } }, { error: { code: 'forbidden' } }]);
  });

  it('leaves a stream of a @SubscribeChannel method that has no end', async () => {
    const { app, clock } = await start();
    const client = await app.connect('/ws');

    const answer = client.subscribe('never:1');
    await expect.poll(() => living).toBe(1);
    await clock.advance(31_000);

    expect(await answer).toMatchObject({ error: { code: 'timeout' } });
    expect(living).toBe(0);
  });

  it('goes on reading when a listener of the application throws', async () => {
    const { app, observer, processFaults } = await start();
    const client = await app.connect('/ws');
    await client.request('listen');

    const answers = [await client.request('echo'), await client.request('echo')];

    expect(answers).toMatchObject([{ data: 'here' }, { data: 'here' }]);
    expect(observer.failures[0]).toMatchObject({ where: 'a "message" listener' });
    expect(processFaults).toEqual([]);
  });

  it('refuses a leave whose reason is no text, and keeps the subscription', async () => {
    const { app } = await start();
    const client = await app.connect('/ws');
    const [server] = app.nest.get(ResultsGateway).sockets as [ChannelSocket];

    await server.subscribe('news:1');
    await expect(server.unsubscribe('news:1', { reason: 10n as never })).rejects.toMatchObject({
      code: 'bad_request',
    });
    await app.channels.publish('news:1', 'report', 1);

    expect(await client.waitFor({ event: 'report' })).toMatchObject({ channel: 'news:1', data: 1 });
  });
});

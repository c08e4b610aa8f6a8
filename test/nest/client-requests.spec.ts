import {
  ConnectedSocket,
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  type OnGatewayConnection,
} from '@nestjs/websockets';
import { Acked, ChannelsError, ChannelSocket, type ChannelsModuleOptions } from 'nestjs-channels';
import { ChannelsClientError } from 'nestjs-channels/client';
import type { ChannelsTestApp } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { openClient, outcomeOf, type ClientLog } from '../support/client-rig.js';
import { Deferred } from '../support/deferred.js';
import { RecordingObserver } from '../support/recording-observer.js';
import { startApp } from '../support/start-app.js';

/** What the gateway asks, and whom it knows. */
class Desk {
  readonly sockets: ChannelSocket[] = [];
  effects = 0;
  connected: (socket: ChannelSocket) => unknown = () => undefined;

  /** The connection that came last. */
  get socket(): ChannelSocket {
    return this.sockets.at(-1) as ChannelSocket;
  }
}

@WebSocketGateway({ path: '/ws' })
class AskingGateway implements OnGatewayConnection<ChannelSocket> {
  constructor(private readonly desk: Desk) {}

  async handleConnection(socket: ChannelSocket): Promise<void> {
    this.desk.sockets.push(socket);
    await this.desk.connected(socket);
  }

  /** Asks the client that has sent it, and waits for its answer. */
  @SubscribeMessage('ask')
  ask(@ConnectedSocket() client: ChannelSocket, @MessageBody() data: unknown): Promise<unknown> {
    return client.request('confirm', data, { timeoutMs: 15_000 });
  }

  @SubscribeMessage('ask.acked')
  @Acked()
  async askAcked(@ConnectedSocket() client: ChannelSocket, @MessageBody() data: unknown): Promise<unknown> {
    const first = await client.request('confirm', data);
    const second = await client.request('confirm', first);
    return { first, second };
  }

  /** Has its effect, and asks then. */
  @SubscribeMessage('effect')
  @Acked()
  effect(@ConnectedSocket() client: ChannelSocket): Promise<unknown> {
    this.desk.effects++;
    return client.request('confirm', undefined, { timeoutMs: 200 });
  }

  @SubscribeMessage('echo')
  echo(@MessageBody() data: unknown): unknown {
    return data;
  }
}

interface Rig {
  readonly app: ChannelsTestApp;
  readonly desk: Desk;
  readonly observer: RecordingObserver;
  readonly url: string;
}

async function start(channels: ChannelsModuleOptions = {}): Promise<Rig> {
  const desk = new Desk();
  const observer = new RecordingObserver();
  const app = await startApp({
    providers: [AskingGateway, { provide: Desk, useValue: desk }],
    channels: { observers: [observer], ...channels },
  });
  return { app, desk, observer, url: app.url('/ws') };
}

async function connect(rig: Rig): Promise<ClientLog> {
  const log = openClient(rig.url);
  await log.reaches('open');
  return log;
}

describe('client.request', () => {
  it('resolves with what the handler of the client gives', async () => {
    const rig = await start();
    const { client } = await connect(rig);
    client.handle('confirm', async (data) => ({ got: data }));

    expect(await rig.desk.socket.request('confirm', { text: 'sure? ☃' })).toEqual({
      got: { text: 'sure? ☃' },
    });
  });

  it.each(['ask', 'ask.acked'])(
    'can be awaited by the handler of %s: answers pass by everything',
    async (event) => {
      const rig = await start({ maxInFlight: 1 });
      const { client } = await connect(rig);
      client.handle('confirm', (data) => `${String(data)}!`);

      const answer = await client.send(event, 'sure');

      expect(answer).toEqual(event === 'ask' ? 'sure!' : { first: 'sure!', second: 'sure!!' });
    },
  );

  it('can be awaited by many handlers of one client at once', async () => {
    const rig = await start();
    const { client } = await connect(rig);
    client.handle('confirm', async (data) => data);

    const numbers = Array.from({ length: 64 }, (_, at) => at);
    const answers = await Promise.all(numbers.map((n) => client.send('ask', n)));

    expect(answers).toEqual(numbers);
  });

  it('rejects with unknown_event where the client has no handler', async () => {
    const rig = await start();
    await connect(rig);

    const asked = rig.desk.socket.request('confirm');

    await expect(asked).rejects.toBeInstanceOf(ChannelsError);
    await expect(asked).rejects.toMatchObject({ code: 'unknown_event' });
  });

  it('rejects with what the client has thrown on purpose, and with internal for anything else', async () => {
    const rig = await start();
    const log = await connect(rig);
    const details = { until: 5 };
    log.client.handle('busy', () => {
      throw new ChannelsClientError('unavailable', 'Busy.', { details });
    });
    log.client.handle('broken', () => {
      throw new Error('the password is hunter2');
    });
    log.client.handle('closed', () => {
      throw new ChannelsClientError('closed', 'A code of the client.');
    });

    const outcomes = await Promise.all(
      ['busy', 'broken', 'closed'].map((event) =>
        rig.desk.socket.request(event).catch((error: unknown) => error),
      ),
    );

    expect(outcomes).toMatchObject([
      { code: 'unavailable', message: 'Busy.', details },
      { code: 'internal', message: 'The handler failed.' },
      { code: 'internal', message: 'A code of the client.' },
    ]);
    await log.until(({ errors }) => errors.length > 0);
    expect(log.errors).toMatchObject([
      { code: 'listener_failed', cause: { message: 'the password is hunter2' } },
    ]);
  });

  it('is told to whoever waits for the handler that lets its error through', async () => {
    const rig = await start();
    const { client } = await connect(rig);
    client.handle('confirm', () => {
      throw new ChannelsClientError('conflict', 'Not mine.', { details: [1] });
    });

    expect(await outcomeOf(client.send('ask'))).toEqual({ code: 'conflict', details: [1] });
  });

  it('rejects with an error of the client where the answer is too large for the server', async () => {
    const rig = await start({ maxMessageBytes: 500 });
    const { client } = await connect(rig);
    client.handle('confirm', () => 'x'.repeat(500));

    await expect(rig.desk.socket.request('confirm')).rejects.toMatchObject({ code: 'payload_too_large' });
    expect(await client.send('echo', 'still here')).toBe('still here');
  });

  it('rejects when its time is over; the answer is late, and the next request is not harmed', async () => {
    const rig = await start();
    const { client } = await connect(rig);
    const gate = new Deferred<string>();
    client.handle('confirm', () => gate.promise);

    await expect(rig.desk.socket.request('confirm', 1, { timeoutMs: 20 })).rejects.toMatchObject({
      code: 'timeout',
    });
    gate.resolve('late');
    await rig.observer.until(({ faults }) => faults.includes('late_ack'));

    expect(await rig.desk.socket.request('confirm', 2)).toBe('late');
  });
});

describe('a request whose connection dies', () => {
  it.each<[string, (rig: Rig, log: ClientLog) => void]>([
    ['the server closes', ({ desk }) => desk.socket.close(1_012)],
    ['the client closes', (_rig, { client }) => client.close()],
    ['the client logs in anew', (_rig, { client }) => client.reset()],
  ])('rejects with unavailable when %s, and its handler is told', async (_what, end) => {
    const rig = await start();
    const log = await connect(rig);
    const [begun, aborted] = [new Deferred(), new Deferred()];
    log.client.handle('confirm', (_data, { signal }) => {
      signal.addEventListener('abort', () => aborted.resolve());
      begun.resolve();
      return new Promise(() => undefined);
    });
    const outcome = outcomeOf(rig.desk.socket.request('confirm'));
    await begun.promise;

    end(rig, log);

    expect(await outcome).toEqual({ code: 'unavailable' });
    await aborted.promise;
  });

  it('is not answered on the next one', async () => {
    const rig = await start();
    const log = await connect(rig);
    const [begun, gate] = [new Deferred(), new Deferred<string>()];
    log.client.handle('confirm', () => (begun.resolve(), gate.promise));
    const first = outcomeOf(rig.desk.socket.request('confirm'));
    await begun.promise;
    rig.desk.socket.close(1_012);
    await log.reaches('open', 2);

    const second = rig.desk.socket.request('confirm');
    gate.resolve('for whom?');

    expect([await first, await second]).toEqual([{ code: 'unavailable' }, 'for whom?']);
    expect(rig.observer.faults).toEqual([]);
  });

  it('ends with the application', async () => {
    const rig = await start();
    const { client } = await connect(rig);
    const begun = new Deferred();
    client.handle('confirm', () => (begun.resolve(), new Promise(() => undefined)));
    const outcome = outcomeOf(rig.desk.socket.request('confirm'));
    await begun.promise;

    await rig.app.close();

    expect(await outcome).toEqual({ code: 'unavailable' });
  });
});

describe('an acked handler that asks behind its effect', () => {
  it.each<[what: string, code: string, fail: (rig: Rig) => Promise<never> | never]>([
    [
      'the line is cut',
      'unavailable',
      ({ desk }) => (desk.socket.close(1_012), new Promise<never>(() => undefined)),
    ],
    ['no answer comes', 'timeout', () => new Promise<never>(() => undefined)],
    [
      'the client answers with an error that has a retryable code',
      'unavailable',
      () => {
        throw new ChannelsClientError('unavailable', 'Busy.');
      },
    ],
  ])('has it once where %s, and the sender hears of it', async (_what, code, fail) => {
    const rig = await start();
    const { client } = await connect(rig);
    let asked = 0;
    client.handle('confirm', () => (asked++ === 0 ? fail(rig) : 'a second run'));

    const outcome = await outcomeOf(client.send('effect'));

    expect([outcome, rig.desk.effects]).toEqual([{ code }, 1]);
  });
});

describe('a request in handleConnection', () => {
  it('is refused at once, and closes the connection where nobody catches it', async () => {
    const rig = await start();
    let told: unknown;
    rig.desk.connected = (socket) =>
      socket.request('confirm').catch((error: unknown) => {
        told = error;
        throw error;
      });
    const client = await rig.app.connect('/ws');

    const { code } = await client.closed;

    expect(told).toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/nothing is read before handleConnection has settled/),
    });
    expect(code).toBe(1_011);
    expect(client.frames).toEqual([]);
  });
});

describe('a client that is not ours', () => {
  it('answers on a plain connection, as it would say anything', async () => {
    const rig = await start();
    const client = await rig.app.connect('/ws', { protocols: [] });
    await client.request('echo');

    const asked = rig.desk.socket.request('confirm', 'sure?');
    const frame = (await client.waitFor({ event: 'confirm', data: 'sure?' })) as { readonly id: string };
    client.send({ ack: frame.id, data: 'yes' });

    expect(await asked).toBe('yes');
  });

  it.each([
    ['a code that there is not', { code: '__proto__', message: 'x' }],
    ['a number', 7],
    ['a list', [{ code: 'forbidden' }]],
    ['a text of 60,000 characters', { code: 'nope', message: 'x'.repeat(60_000) }],
    ['members of other types', { code: { a: 1 }, message: ['x'], details: null }],
  ])('may send any error: %s', async (_what, error) => {
    const rig = await start();
    const client = await rig.app.connect('/ws');
    await client.request('echo');
    const asked = rig.desk.socket.request('confirm').catch((reason: unknown) => reason);
    const frame = (await client.waitFor({ event: 'confirm' })) as { readonly id: string };

    client.send({ ack: frame.id, error });
    const reason = await asked;

    expect(reason).toBeInstanceOf(ChannelsError);
    expect(reason).toMatchObject({ code: expect.stringMatching(/^(internal|bad_request)$/) });
    expect((reason as Error).message.length).toBeLessThanOrEqual(1_024);
  });
});

describe('the socket of a stock gateway', () => {
  it('may keep a request of its own under that name', async () => {
    const rig = await start();
    const kept = { url: '/ws' };
    rig.desk.connected = (socket) => Object.assign(socket, { request: kept });
    const client = await rig.app.connect('/ws');

    expect(await client.request('echo', 1)).toMatchObject({ data: 1 });
    expect(rig.desk.socket.request).toBe(kept);
  });
});

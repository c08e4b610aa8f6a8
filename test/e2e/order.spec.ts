import { setTimeout as sleep } from 'node:timers/promises';
import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { Acked, ChannelSocket } from 'nestjs-channels';
import type { ChannelsTestApp } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../core/engine-rig.js';
import { openClient } from '../support/client-rig.js';
import { Deferred } from '../support/deferred.js';
import { startApp } from '../support/start-app.js';

const MESSAGES = 1_000;
const NUMBERS = Array.from({ length: MESSAGES }, (_, n) => n);
const LONGEST_MS = 20;

/** Ten seconds of handlers, on a busy machine. */
const TIMEOUT_MS = 60_000;

@WebSocketGateway({ path: '/ws' })
class WorkGateway {
  readonly effects: unknown[] = [];
  readonly #random = seededRandom(6);

  @SubscribeMessage('acked')
  @Acked()
  acked(@MessageBody() n: number): Promise<number> {
    return this.#work(n);
  }

  @SubscribeMessage('plain')
  plain(@MessageBody() n: number): Promise<number> {
    return this.#work(n);
  }

  /** Cannot go on before the client has answered. */
  @SubscribeMessage('asking')
  @Acked()
  async asking(@MessageBody() n: number, @ConnectedSocket() client: ChannelSocket): Promise<unknown> {
    const answer = await client.request('confirm', n);
    this.effects.push(n);
    return answer;
  }

  async #work(n: number): Promise<number> {
    await sleep(this.#random.next() * LONGEST_MS);
    this.effects.push(n);
    return n;
  }
}

const start = (): Promise<ChannelsTestApp> => startApp({ providers: [WorkGateway] });

/** Sends all of them at once. Resolves with the numbers in the order of their acks. */
async function sendAll(app: ChannelsTestApp, event: string): Promise<number[]> {
  const { client } = openClient(app.url('/ws'));
  const acked: number[] = [];
  await Promise.all(NUMBERS.map((n) => client.send(event, n).then(() => acked.push(n))));
  return acked;
}

describe(`${MESSAGES} messages from one client to handlers that take 0 to ${LONGEST_MS} ms`, () => {
  it('have effects and acks in order where they are acked', { timeout: TIMEOUT_MS }, async () => {
    const app = await start();

    const acked = await sendAll(app, 'acked');

    expect(app.nest.get(WorkGateway).effects).toEqual(NUMBERS);
    expect(acked).toEqual(NUMBERS);
  });

  it('run beside each other where they are not', async () => {
    const app = await start();

    const acked = await sendAll(app, 'plain');

    expect(acked).not.toEqual(NUMBERS);
    expect(acked.toSorted((one, other) => one - other)).toEqual(NUMBERS);
    expect(app.nest.get(WorkGateway).effects).not.toEqual(NUMBERS);
  });
});

describe('the lane of a connection', () => {
  it('holds up no other connection', async () => {
    const app = await start();
    const [busy, other] = [openClient(app.url('/ws')), openClient(app.url('/ws'))];
    const [asked, confirmed] = [new Deferred(), new Deferred()];
    busy.client.handle('confirm', () => {
      asked.resolve();
      return confirmed.promise;
    });
    const asking = busy.client.send('asking', 1);
    const behind = busy.client.send('acked', 2);
    await asked.promise;
    await other.client.send('acked', 3);

    const before = [...app.nest.get(WorkGateway).effects];
    confirmed.resolve();
    await Promise.all([asking, behind]);

    expect(before).toEqual([3]);
    expect(app.nest.get(WorkGateway).effects).toEqual([3, 1, 2]);
  });

  it('goes on where every handler waits for an answer of the client that waits for it', async () => {
    const app = await start();
    const { client } = openClient(app.url('/ws'));
    const asked: unknown[] = [];
    client.handle('confirm', (n) => {
      asked.push(n);
      return `yes to ${String(n)}`;
    });

    const numbers = NUMBERS.slice(0, 100);
    const answers = await Promise.all(numbers.map((n) => client.send('asking', n)));

    expect(answers).toEqual(numbers.map((n) => `yes to ${n}`));
    expect([asked, app.nest.get(WorkGateway).effects]).toEqual([numbers, numbers]);
  });
});

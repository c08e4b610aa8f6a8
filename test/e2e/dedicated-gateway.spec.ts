import type { ClientProxy } from '@nestjs/microservices';
import type { ChannelSocket } from 'nestjs-channels';
import { firstValueFrom, throwError } from 'rxjs';
import { join } from 'node:path';
import { TestClient } from 'nestjs-channels/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ensureBuilt } from '../support/app-process.js';
import { freePort } from '../support/free-port.js';
import { RedisServer } from '../support/redis/redis-server.js';
import { compileFolder, SampleProcess } from './sample-process.js';
import { LotsGateway } from '../../sample/04-dedicated-gateway/lots.gateway.js';

// Processes start, perhaps on a machine that has other work to do.
vi.setConfig({ testTimeout: 60_000 });

interface World {
  readonly redis: RedisServer;
  readonly sockets: readonly [SampleProcess, SampleProcess];
  readonly business: SampleProcess;
  /** Starts the business once more, where it has ended. */
  restart(): Promise<SampleProcess>;
}

async function start(): Promise<World> {
  ensureBuilt();
  const redis = await RedisServer.start();
  const env = { REDIS_URL: redis.url, BUSINESS_PORT: String(await freePort()) };
  const folder = compileFolder('sample/04-dedicated-gateway');
  const restart = async (): Promise<SampleProcess> => {
    const business = new SampleProcess([join(folder, 'business.js')], { env });
    await business.until(() => business.said.some((line) => line.includes('Takes bids')));
    return business;
  };
  const startSockets = () => new SampleProcess([join(folder, 'sockets.js')], { env }).serves();
  const [business, ...sockets] = await Promise.all([restart(), startSockets(), startSockets()]);
  return { redis, sockets, business, restart };
}

async function connect({ port }: SampleProcess, name: string): Promise<TestClient> {
  const client = await TestClient.connect(`ws://127.0.0.1:${port}/ws`, { bearer: name });
  onTestFinished(() => client.terminate());
  return client;
}

describe('sample/04-dedicated-gateway', () => {
  it('tells the bids that are high enough to those who watch at another node', async () => {
    const { sockets } = await start();
    const [ann, bob] = [await connect(sockets[0], 'ann'), await connect(sockets[1], 'bob')];
    await ann.subscribe('lots:piano');

    const answers = [];
    for (const amount of [100, 99, 101]) answers.push(await bob.request('bid', { lot: 'piano', amount }));
    await ann.waitFor({ event: 'bid', data: { amount: 101 } });

    const bid = (amount: number) => ({ bidder: 'bob', amount });
    expect(answers.map(({ data }) => data)).toEqual([
      { isHighest: true, highest: bid(100) },
      { isHighest: false, highest: bid(100) },
      { isHighest: true, highest: bid(101) },
    ]);
    expect(ann.frames.slice(1)).toEqual([
      { channel: 'lots:piano', event: 'bid', data: bid(100), offset: 1 },
      { channel: 'lots:piano', event: 'bid', data: bid(101), offset: 2 },
    ]);
  });

  it('takes no bids while the business restarts, says that it may be tried again, and then takes it', async () => {
    const { sockets, business, restart } = await start();
    const bob = await connect(sockets[0], 'bob');
    await bob.request('bid', { lot: 'piano', amount: 1 });

    await business.kill();
    const refused = await bob.request('bid', { lot: 'piano', amount: 100 }, { id: 'the-same' });
    await restart();
    const taken = await bob.request('bid', { lot: 'piano', amount: 100 }, { id: 'the-same' });

    expect(refused.error).toMatchObject({ code: 'unavailable', retryable: true });
    expect(taken.data).toMatchObject({ isHighest: true, highest: { amount: 100 } });
  });

  it.each<[what: string, cause: unknown, passesOn: boolean]>([
    ['is not there', Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }), false],
    ['goes away', new Error('Connection closed'), false],
    ['fails', { status: 'error', message: 'Internal server error' }, true],
    ['cannot be asked for a mistake of our own', new TypeError('circular'), true],
  ])('is to be tried again only where the business is not there: it %s', async (_what, cause, passesOn) => {
    const business = { send: () => throwError(() => cause) } as unknown as ClientProxy;
    const client = { principal: 'bob' } as ChannelSocket;

    const bid = new LotsGateway(business).bid({ lot: 'piano', amount: 1 }, 'id', client);
    const error: unknown = await firstValueFrom(bid).catch((reason: unknown) => reason);

    expect(error === cause).toBe(passesOn);
    expect((error as { retryable?: boolean }).retryable === true).toBe(!passesOn);
  });
});

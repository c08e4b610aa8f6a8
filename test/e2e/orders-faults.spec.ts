import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TestClient } from 'nestjs-channels/testing';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ensureBuilt } from '../support/app-process.js';
import { openClient, outcomeOf } from '../support/client-rig.js';
import { AuctionProcess, readBids } from './orders-rig.js';
import { compileFolder, SampleProcess, temporaryFolder } from './sample-process.js';

/** Two starts of a process on a busy machine. */
const TIMEOUT_MS = 60_000;

beforeAll(ensureBuilt, 120_000);

describe('a bid whose server is killed', () => {
  it.each(['before', 'during', 'after', 'published'] as const)(
    '%s its effect is made once, and its answer comes',
    { timeout: TIMEOUT_MS },
    async (place) => {
      const auction = await AuctionProcess.startFaulty({ fault: `kill ${place}` });
      const ann = auction.open('Ann');
      const answer = ann.client.send('bid', { amount: 150 });

      expect(await auction.ended()).toBe('SIGKILL');
      await auction.restart();

      expect(await answer).toMatchObject({ number: 1, bidder: 'Ann', amount: 150 });
      expect(await readBids(ann)).toEqual([await answer]);
    },
  );

  it('is followed, in order, by those that waited behind it', { timeout: TIMEOUT_MS }, async () => {
    const auction = await AuctionProcess.startFaulty({ fault: 'kill after' });
    const ann = auction.open('Ann');
    const answers = [150, 160, 170].map((amount) => ann.client.send('bid', { amount }));

    await auction.ended();
    await auction.restart();

    expect(await Promise.all(answers)).toMatchObject([{ amount: 150 }, { amount: 160 }, { amount: 170 }]);
    expect((await readBids(ann)).map(({ number, amount }) => [number, amount])).toEqual([
      [3, 170],
      [2, 160],
      [1, 150],
    ]);
  });

  it('leaves alone what others have bid, under whatever id', { timeout: TIMEOUT_MS }, async () => {
    const auction = await AuctionProcess.startFaulty({});
    const [ann, ben] = await Promise.all(['Ann', 'Ben'].map((name) => connect(auction, name)));
    const bid = (client: TestClient | undefined, amount: number) =>
      client?.request('bid', { amount }, { id: 'same' });
    await bid(ann, 150);
    await bid(ben, 160);

    await auction.kill();
    const restarted = await auction.restart();
    const again = await Promise.all(['Ann', 'Ben'].map((name) => connect(restarted, name)));

    expect(await bid(again[0], 150)).toMatchObject({ data: { number: 1, bidder: 'Ann' } });
    expect(await bid(again[1], 160)).toMatchObject({ data: { number: 2, bidder: 'Ben' } });
    expect(await readBids(restarted.open('Eve'))).toHaveLength(2);
  });
});

describe('a handler that throws', () => {
  it.each(['before', 'during'] as const)(
    '%s its effect has none: the client is told, and a copy gets the same answer',
    { timeout: TIMEOUT_MS },
    async (place) => {
      const auction = await AuctionProcess.startFaulty({ fault: `throw ${place}` });
      const ann = auction.open('Ann');
      const raw = await connect(auction, 'Ben');

      const outcome = await outcomeOf(ann.client.send('bid', { amount: 150 }));
      const first = await raw.request('bid', { amount: 160 }, { id: 'm' });
      const copy = await raw.request('bid', { amount: 160 }, { id: 'm' });

      expect(outcome).toEqual({ code: 'internal' });
      expect(first).toMatchObject({ error: { code: 'internal', retryable: false } });
      // The number of the error in the log: it has run once.
      expect(copy).toEqual(first);
      expect(await readBids(ann)).toEqual([]);
    },
  );

  it.each(['before', 'during', 'after', 'published'] as const)(
    'a retryable error %s its effect is tried again, and has it once',
    { timeout: TIMEOUT_MS },
    async (place) => {
      const auction = await AuctionProcess.startFaulty({ fault: `unavailable ${place}` });
      const ann = auction.open('Ann');
      const told: unknown[] = [];
      await ann.client.channel('auction').subscribe();
      ann.client.channel('auction').on('bid', (bid) => told.push(bid));

      const bid = await ann.client.send('bid', { amount: 150 });
      const next = await ann.client.send('bid', { amount: 160 });

      expect(await readBids(ann)).toEqual([next, bid]);
      // The key of the publication: it was told once, however often it was published.
      expect(told).toEqual([bid, next]);
    },
  );
});

describe('a handler that hangs', () => {
  const hangs = ({ said }: SampleProcess): boolean => said.includes('A handler hangs.');

  it('is answered timeout, and has its effect once', { timeout: TIMEOUT_MS }, async () => {
    const auction = await AuctionProcess.startFaulty({ fault: 'hang', handlerTimeoutMs: 200 });
    const raw = await connect(auction, 'Ann');

    const first = await raw.request('bid', { amount: 150 }, { id: 'm' });
    const copy = await raw.request('bid', { amount: 150 }, { id: 'm' });
    auction.signal('SIGUSR2');
    const later = await raw.request('bid', { amount: 150 }, { id: 'm' });

    for (const answer of [first, copy])
      expect(answer).toMatchObject({ error: { code: 'timeout', retryable: true } });
    expect(later).toMatchObject({ ack: 'm', data: { number: 1, amount: 150 } });
    expect(await readBids(auction.open('Eve'))).toHaveLength(1);
  });

  it('lets a client that tries again have its answer', { timeout: TIMEOUT_MS }, async () => {
    const auction = await AuctionProcess.startFaulty({ fault: 'hang', handlerTimeoutMs: 200 });
    const raw = await connect(auction, 'Ben');
    const ann = auction.open('Ann');
    const answer = ann.client.send('bid', { amount: 150 });
    await auction.until(hangs);

    // What began later is answered later: Ann has been told by now as well.
    expect(await raw.request('bid', { amount: 160 })).toMatchObject({ error: { code: 'timeout' } });
    auction.signal('SIGUSR2');

    expect(await answer).toMatchObject({ number: 1, amount: 150 });
    expect(await readBids(ann)).toMatchObject([{ bidder: 'Ben' }, { bidder: 'Ann' }]);
  });

  it('has its effect once where the client gives up, too', { timeout: TIMEOUT_MS }, async () => {
    const auction = await AuctionProcess.startFaulty({ fault: 'hang', handlerTimeoutMs: 200 });
    const ann = auction.open('Ann');
    await ann.reaches('open');

    const outcome = outcomeOf(ann.client.send('bid', { amount: 150 }, { timeoutMs: 3_000 }));
    await auction.until(hangs);

    expect(await outcome).toEqual({ code: 'timeout' });
    expect(await readBids(ann)).toHaveLength(1);
    auction.signal('SIGUSR2');
  });
});

describe('without the transaction', () => {
  it('a process that is killed between effect and answer has the effect twice', async () => {
    const args = [join(compileFolder('test/apps/auction'), 'without-transaction.js')];
    const cwd = temporaryFolder();
    const EFFECTS = join(cwd, 'effects.txt');
    const effects = (): string[] => readFileSync(EFFECTS, 'utf8').trim().split('\n');
    const till = await new SampleProcess(args, { cwd, env: { EFFECTS, FAULT: 'kill after' } }).serves();
    const { client } = openClient(`ws://127.0.0.1:${till.port}/ws`);

    const answer = client.send('pay', 7);
    await till.ended();
    const before = effects();
    await new SampleProcess(args, { cwd, port: till.port, env: { EFFECTS } }).serves();

    // The window that docs/guarantees.md tells of.
    expect(await answer).toBe('paid');
    expect([before, effects()]).toEqual([['7'], ['7', '7']]);
  });
});

async function connect({ port }: AuctionProcess, token: string): Promise<TestClient> {
  const client = await TestClient.connect(`ws://127.0.0.1:${port}/ws`, { token });
  onTestFinished(() => client.terminate());
  await client.request('$hello', { clientId: token.padEnd(22, '-') });
  return client;
}

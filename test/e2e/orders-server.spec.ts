import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createChannelsTestApp, TestClient, type ChannelsTestApp } from 'nestjs-channels/testing';
import { afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { AppModule } from '../../sample/02-orders/app.module.js';
import { Database } from '../../sample/02-orders/database.js';
import { ensureBuilt } from '../support/app-process.js';
import { ROOT } from '../support/repository.js';
import { AuctionProcess } from './orders-rig.js';
import { compileFolder, SampleProcess, temporaryFolder } from './sample-process.js';

const TIMEOUT_MS = 60_000;

/** As the button says. */
const CUT_MS = 20_000;

/** What a connection without an answer ends with. */
const RESET = /socket hang up|ECONNRESET/;

describe('the server of sample/02-orders', () => {
  let app: ChannelsTestApp;

  beforeEach(async () => {
    vi.stubEnv('DATABASE', join(temporaryFolder(), 'auction.db'));
    app = await createChannelsTestApp({ imports: [AppModule] });
  });

  afterEach(async () => {
    await app.close();
    vi.unstubAllEnvs();
  });

  const connect = (token: string, line = ''): Promise<TestClient> =>
    app.connect(`/ws?line=${line}`, { bearer: encodeURIComponent(token) });
  const ask = (method: string, line: string): Promise<Response> =>
    fetch(`http://127.0.0.1:${app.port}/lines/${line}/cut`, { method });

  it('makes bids that are high enough, and says what is', async () => {
    const ann = await connect(' Ann ');

    const answers = [];
    for (const amount of [99, 100, 109, 110]) answers.push(await ann.request('bid', { amount }));

    expect(answers).toMatchObject([
      { error: { code: 'conflict', message: 'Bid at least €100.' } },
      { data: { number: 1, bidder: 'Ann', amount: 100 } },
      { error: { code: 'conflict', message: 'Bid at least €110.' } },
      { data: { number: 2, bidder: 'Ann', amount: 110 } },
    ]);
  });

  it.each([undefined, '150', 150.5, 0, 1_000_001])('refuses a bid of %j', async (amount) => {
    const ann = await connect('Ann');

    expect(await ann.request('bid', { amount })).toMatchObject({ error: { code: 'bad_request' } });
  });

  it('makes no bid that nobody waits for', async () => {
    const ann = await connect('Ann');

    ann.send({ event: 'bid', data: { amount: 150 } });

    await ann.waitFor({ event: 'exception' });
    expect(await ann.subscribe('auction')).toMatchObject({ data: { data: { bids: [] } } });
  });

  it.each(['', '   ', 'x'.repeat(33), '%'])('closes with 4501 for the name %j', async (name) => {
    const client = await app.connect('/ws', { bearer: name === '%' ? name : encodeURIComponent(name) });

    expect(await client.closed).toMatchObject({ code: 4_501 });
  });

  it('cuts the line of one page, until it is mended', async () => {
    const [ann, ben] = [await connect('Ann', 'one'), await connect('Ben', 'two')];

    expect((await ask('PUT', 'one')).status).toBe(204);

    expect(await ann.closed).toMatchObject({ code: 1_006 });
    await expect(connect('Ann', 'one')).rejects.toThrow(RESET);
    expect(await ben.request('bid', { amount: 150 })).toHaveProperty('data');
    await ask('DELETE', 'one');
    expect(await (await connect('Ann', 'one')).request('bid', { amount: 160 })).toHaveProperty('data');
  });

  it('mends a line by itself', async () => {
    const ann = await connect('Ann', 'one');
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    await ask('PUT', 'one');
    await ann.closed;

    vi.advanceTimersByTime(CUT_MS - 1);
    await expect(connect('Ann', 'one')).rejects.toThrow(RESET);
    vi.advanceTimersByTime(1);

    expect(await connect('Ann', 'one')).toBeInstanceOf(TestClient);
  });

  it('has no line to cut where no page is', async () => {
    expect((await ask('PUT', 'none')).status).toBe(404);
  });
});

describe('the file of sample/02-orders', { timeout: TIMEOUT_MS }, () => {
  beforeAll(ensureBuilt, 120_000);

  it('is for one process at a time', async () => {
    const cwd = temporaryFolder();
    const auction = await AuctionProcess.start({ cwd });

    await expect(AuctionProcess.start({ cwd })).rejects.toThrow(/auction\.db is open in process \d+: stop/);
    await auction.stop();

    expect(await AuctionProcess.start({ cwd })).toBeInstanceOf(AuctionProcess);
  });

  it('has nothing of a transaction whose process was killed in it', async () => {
    const cwd = temporaryFolder();
    compileFolder('sample/02-orders');
    const half = join(compileFolder('test/apps/auction'), 'half-a-transaction.js');

    expect(await new SampleProcess([half], { cwd }).ended()).toBe('SIGKILL');

    vi.stubEnv('DATABASE', join(cwd, 'auction.db'));
    onTestFinished(() => void vi.unstubAllEnvs());
    const database = new Database();
    onTestFinished(() => database.onApplicationShutdown());
    const states = database.all('SELECT state, count(*) AS count FROM notes GROUP BY state');
    expect(states).toEqual([{ state: 'kept', count: 200 }]);
  });
});

describe('the page of sample/02-orders', () => {
  it.each(['style.css', 'state-line.js'])('has the %s of the chat', (file) => {
    const [chat, auction] = ['01-chat', '02-orders'].map((sample) =>
      readFileSync(join(ROOT, 'sample', sample, 'public', file), 'utf8'),
    );

    expect(auction).toBe(chat);
  });
});

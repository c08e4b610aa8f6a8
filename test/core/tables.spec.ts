import { describe, expect, it } from 'vitest';
import { defineChannel } from '../../lib/core/channel-definition.js';
import { TURNED_AWAY } from '../../lib/core/handler.interface.js';
import { Tables } from '../../lib/core/tables.js';
import { Deferred } from '../support/deferred.js';
import { readTree } from '../support/repository.js';
import { Rig, say, settled } from './engine-rig.js';
import { SlowLink } from './slow-link.js';

describe('Tables', () => {
  it('adds up those of one name', () => {
    const tables = new Tables();

    tables.add('upgrades', () => 2);
    tables.add('upgrades', () => 3);
    tables.add('others', () => 0);

    expect(tables.read()).toEqual({ upgrades: 5, others: 0 });
  });
});

/** A node with a handler that ends when the test says so, and a channel that keeps what can be kept. */
async function start() {
  const handled = new Deferred();
  const rig = await Rig.start({
    handlers: [
      {
        event: 'late',
        acked: true,
        handle: async (_, gate) => ((await gate?.enter()) ? handled.promise : TURNED_AWAY),
      },
    ],
    channels: { chat: { subscribe: { event: '$subscribe', acked: true, handle: () => 'state' } } },
    handlerTimeoutMs: 1_000,
    dedupWindowMs: 5_000,
    presenceGraceMs: 1_000,
  });
  const chat = { history: { size: 5, ttlMs: 1_000 }, presence: true, overflow: 'latest' } as const;
  rig.engine.catalog.add(defineChannel('chat', chat), 'a test');
  return { rig, handled };
}

it('lists what is under way on a node, and nothing of it when everybody has gone', async () => {
  const { rig, handled } = await start();
  const { engine } = rig;
  const link = new SlowLink();
  const peer = rig.open({}, link);
  say(peer, { event: '$hello', id: 'h', data: { clientId: 'c'.repeat(22) } });
  say(peer, { event: '$subscribe', id: 's', data: { channel: 'chat' } });
  say(peer, { event: 'late', id: 'n' });
  void peer.connection.request('ask', 1).catch(() => undefined);
  await settled();
  Object.assign(link, { isStuck: true, bufferedAmount: 7 });
  await engine.publisher.publish('chat', 'said', 1, {});
  await settled();

  const busy = engine.sizes();
  link.drop();
  handled.resolve();
  await settled();
  await rig.clock.advance(60_000);
  const end = engine.sizes();

  expect(busy).toMatchObject({
    connections: 1,
    clients: 1,
    pulses: 1,
    subscriptions: 1,
    channels: 1,
    presentChannels: 1,
    requests: 1,
    unanswered: 1,
    claims: 1,
    slowReaders: 1,
    'dedup.running': 1,
    'presence.channels': 1,
    'broker.subscribed': 1,
  });
  expect(busy['outboxBytes']).toBeGreaterThan(7);
  // A position is kept as long as there is room for it: maxHistories.
  expect(end).toEqual({
    ...Object.fromEntries(Object.keys(busy).map((name) => [name, 0])),
    'broker.histories': 1,
  });
});

it('shows what a handler has left behind that never ends', async () => {
  const { rig } = await start();
  const peer = rig.open();
  say(peer, { event: 'late', id: 'n' });
  await settled();
  peer.transport.drop();
  await settled();

  expect(rig.engine.sizes()).toMatchObject({ connections: 0, claims: 1, work: 1 });
});

/** Where a class of the engine keeps what peers can make grow, and the size that tells of it. */
const TABLES: Readonly<Record<string, string>> = {
  'address-table.ts #connections': 'entrance',
  'address-table.ts #turns': 'entrance',
  'alarms.ts #lines': 'alarms',
  'backlog.ts #lines': 'slowReaders',
  'channel-catalog.ts #byShape': 'fixed at the start',
  'channel-history.ts #keys': 'broker.histories',
  'claims.ts #held': 'claims',
  'deadlines.ts #waiting': 'deadlines',
  'drain.ts #here': 'a shutdown alone waits',
  'drain.ts #late': 'a part of other tables',
  'drain-queue.ts #waiting': 'slowReaders',
  'engine.ts #admissions': 'admissions',
  'engine.ts #byClient': 'clients',
  'engine.ts #connections': 'connections',
  'entrance.ts #perPrincipal': 'entrance',
  'expiries.ts #byEnd': 'expiries',
  'heartbeat.ts #connections': 'pulses',
  'hub.ts #channels': 'channels',
  'hub.ts #encoded': 'weak',
  'hub.ts #streams': 'streams',
  'limited-handler.ts #buckets': 'weak',
  'memory-broker.ts #blank': 'broker.histories',
  'memory-broker.ts #histories': 'broker.histories',
  'memory-broker.ts #left': 'broker.histories',
  'memory-broker.ts #subscribed': 'broker.subscribed',
  'memory-dedup-store.ts #anonymous': 'dedup.owners',
  'memory-dedup-store.ts #principals': 'dedup.owners',
  'memory-presence-store.ts #channels': 'presence.channels',
  'left-buckets.ts #byPrincipal': 'leftBuckets',
  'memory-rate-store.ts #buckets': 'principalRates',
  'paced-histories.ts #places': 'historyReads',
  'paced-histories.ts #waiting': 'historyReads',
  'parked-lanes.ts #connections': 'parkedLanes',
  'pattern.ts #bySegments': 'fixed at the start',
  'peer-requests.ts #open': 'requests',
  'principal-rates.ts #refusedUntil': 'principalRates',
  'position-checks.ts #failed': 'positionChecks',
  'position-checks.ts #waiting': 'positionChecks',
  'presence.ts #channels': 'presentChannels',
  'revocation-table.ts #claims': 'revocations',
  'revocation-table.ts #principals': 'revocations',
  'shared-reads.ts #reads': 'a part of other tables',
  'slot-book.ts #byTicket': 'entrance',
  'slot-book.ts #due': 'entrance',
  'slot-book.ts #future': 'entrance',
  'tables.ts #sizes': 'fixed at the start',
  'unplaced-publications.ts #untold': 'unplaced',
  'unplaced-publications.ts #warned': 'weak',
  'work-counter.ts #waiting': 'a shutdown alone waits',
};

const FIELD = /^ {2}readonly (#\w+) = new (?:Map|Set|WeakMap|WeakSet|OldestFirst)[<(]/gm;

function fieldsIn(files: ReadonlyMap<string, string>): string[] {
  return [...files].flatMap(([path, text]) =>
    [...text.matchAll(FIELD)].map(([, field]) => `${path.split('/').at(-1)} ${field}`),
  );
}

it('names a size for every table of the engine, or says why it has none', async () => {
  const { engine } = (await start()).rig;
  const reasons = new Set(['weak', 'fixed at the start', 'a part of other tables', 'a shutdown alone waits']);

  const told = Object.values(TABLES).filter((name) => !reasons.has(name));

  expect(fieldsIn(readTree('lib/core', '.ts')).toSorted()).toEqual(Object.keys(TABLES).toSorted());
  expect(Object.keys(engine.sizes())).toEqual(expect.arrayContaining(told));
});

it('would notice one that nobody has named', () => {
  const text = 'class Buckets {\n  readonly #byAddress = new Map<string, number>();\n}';

  expect(fieldsIn(new Map([['lib/core/buckets.ts', text]]))).toEqual(['buckets.ts #byAddress']);
});

import type { Connection } from './connection.js';
import type { Engine } from './engine.js';
import { Tables, type Sized, type Sizes } from './tables.js';

/** The tables of what the connections of a node share, and of the connections themselves. */
export function tablesOf(engine: Engine): Tables {
  const tables = new Tables();
  const { hub, presence } = engine;
  tables.add('connections', () => engine.connections.size);
  tables.add('deadlines', () => engine.deadlines.size);
  tables.add('alarms', () => engine.alarms.size);
  tables.add('claims', () => engine.claims.size);
  tables.add('entrance', () => engine.entrance.size);
  tables.add('expiries', () => engine.expiries.size);
  tables.add('revocations', () => engine.revocations.size);
  tables.add('principalRates', () => engine.principalRates.size);
  tables.add('leftBuckets', () => engine.leftBuckets.size);
  tables.add('parkedLanes', () => engine.parkedLanes.size);
  tables.add('flushes', () => engine.flushQueue.size);
  tables.add('slowReaders', () => engine.drainQueue.size);
  tables.add('channels', () => hub.size);
  tables.add('positionChecks', () => hub.checks);
  tables.add('historyReads', () => hub.reads);
  tables.add('unplaced', () => hub.unplaced);
  tables.add('streams', () => hub.streams);
  tables.add('presentChannels', () => presence.size);

  const ofEach = (name: string, size: (connection: Connection) => number): void =>
    tables.add(name, () => {
      let total = 0;
      for (const connection of engine.connections.values()) total += size(connection);
      return total;
    });
  ofEach('subscriptions', ({ subscriptions }) => subscriptions.size);
  ofEach('requests', ({ openRequests }) => openRequests);
  ofEach('unanswered', ({ unanswered }) => unanswered);
  ofEach('earlyMessages', ({ early }) => early);
  ofEach('outboxBytes', ({ outbox }) => outbox.bytes);
  return tables;
}

/** What stores and brokers tell of themselves, each size under the name of its kind. */
export function sizesOf(parts: Readonly<Record<string, Sized>>): Sizes {
  const named = Object.entries(parts).flatMap(([part, { sizes }]) =>
    Object.entries(sizes?.call(parts[part]) ?? {}).map(([name, size]) => [`${part}.${name}`, size] as const),
  );
  return Object.fromEntries(named);
}

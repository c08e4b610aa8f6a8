import { channel } from 'node:diagnostics_channel';
import type { Observer } from '../core/observer.interface.js';

type Fact = keyof Observer;

/** The facts, and the names that what they tell has in a message. */
const FACTS = {
  started: ['node'],
  opened: ['connection'],
  closed: ['connection', 'code', 'reason'],
  refused: ['refusal'],
  faulted: ['connection', 'kind', 'event'],
  failed: ['failure'],
  published: ['channel', 'event'],
  accepted: ['ms'],
  probed: ['ms'],
  delivered: ['channel', 'subscribers'],
  joined: ['connection', 'channel', 'outcome'],
  handled: ['connection', 'event', 'ms'],
  flushed: ['ms'],
  refreshed: ['connection'],
  revoked: ['connections'],
  acked: ['connection', 'event', 'outcome'],
  timed: ['connection', 'ms'],
  evicted: ['count'],
  brokerChanged: ['state', 'reason'],
  warned: ['text'],
  gap: ['connection', 'channel'],
  dropped: ['connection', 'channel', 'count'],
  draining: ['drain'],
  drained: ['report'],
  swept: [],
  watched: ['ms'],
  stopped: [],
  ended: [],
} as const satisfies Record<Fact, readonly string[]>;

/** To have these is to measure something, here or at clients. */
const MEASURED: ReadonlySet<Fact> = new Set<Fact>(['handled', 'flushed', 'accepted', 'timed']);

/**
 * Publishes the facts on `node:diagnostics_channel`, as `nestjs-channels:opened` and so on, for whatever listens there.
 * Without a listener a fact costs a look; those that have to be measured are there only where somebody listens when
 * the application is made.
 */
export function diagnosticsObserver(): Observer {
  const facts = Object.keys(FACTS) as Fact[];
  const entries = facts.flatMap((fact) => {
    const told = channel(`nestjs-channels:${fact}`);
    if (MEASURED.has(fact) && !told.hasSubscribers) return [];
    const names: readonly string[] = FACTS[fact];
    const tell = (...args: readonly unknown[]): void => {
      if (!told.hasSubscribers) return;
      told.publish(Object.fromEntries(names.map((name, at) => [name, args[at]])));
    };
    return [[fact, tell] as const];
  });
  return Object.fromEntries(entries) as Observer;
}

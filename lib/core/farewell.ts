import type { Broker } from './broker.interface.js';
import type { Engine } from './engine.js';

/** Lets go of all that a node shares with others, which get so long to hear of it. Never fails. */
export async function sayFarewell(engine: Engine, broker: Broker, timeoutMs: number): Promise<void> {
  await tellOthers(engine, broker, timeoutMs);
  await letGo(engine, 'broker.close', () => broker.close());
  await letGo(engine, 'dedupStore.close', () => engine.dedup.close());
}

/** All at once: a broker that is silent takes its time for each. What it has not heard then ends by itself. */
async function tellOthers(engine: Engine, broker: Broker, timeoutMs: number): Promise<void> {
  const { clock } = engine;
  const told = Promise.all([
    letGo(engine, 'presence.close', () => engine.presence.store.close()),
    // While it had connections, others had to ask it.
    letGo(engine, 'nodes.close', () => engine.control.close()),
    letGo(engine, 'registry.close', () => broker.registry?.close()),
    letGo(engine, 'revocations.close', () => engine.revocations.close()),
  ]);
  const late = new Promise<void>((resolve) => {
    const timer = clock.setTimeout(resolve, timeoutMs);
    void told.then(() => clock.clearTimer(timer));
  });
  await Promise.race([told, late]);
}

async function letGo(engine: Engine, where: string, close: () => Promise<void> | void): Promise<void> {
  try {
    await close();
  } catch (error) {
    // What is shut down after this node must not stay open for it.
    engine.observers.failed({ where, error });
  }
}

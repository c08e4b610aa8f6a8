import type { Broker, BrokerNode, Publication } from 'nestjs-channels';
import { onTestFinished } from 'vitest';
import { SystemClock, SystemRandom } from '../../lib/nest/system-clock.js';
import { Arrivals } from '../support/arrivals.js';

/** Brokers under test, and their time. */
export interface BrokerBench {
  /** Nodes that share their channels, not yet started; nothing else publishes to them. */
  readonly nodes: readonly Broker[];
  /** Lets so much time pass for their histories. */
  pass(ms: number): Promise<void> | void;
}

/** How the contract gets brokers of one kind. */
export interface BrokerKind {
  /** How many nodes can share their channels: more than one unless the broker lives in one process. */
  readonly nodes: 1 | 2;
  /**
   * For how long its histories keep a publication here, in milliseconds. Time that cannot be stepped has to pass.
   *
   * @default 60_000
   */
  readonly ttlMs?: number;
  create(): Promise<BrokerBench> | BrokerBench;
}

/** One node of a test, with what its sink was handed. */
export interface Node {
  readonly broker: Broker;
  readonly got: Arrivals<Publication>;
}

/** Channels with all that a name may have in it. */
export const CHANNEL = 'chat:AZaz09_.:@=+~-';
export const OTHER = 'a'.repeat(255);

/** Brokers of one kind, started: the same one twice where it lives in one process. */
export async function startNodes(
  name: string,
  { nodes, create }: BrokerKind,
): Promise<[Node, Node, pass: BrokerBench['pass']]> {
  const started: Node[] = [];
  const bench = await create();
  for (const broker of bench.nodes) {
    const got = new Arrivals<Publication>();
    await broker.start((publication) => got.add(publication), quietNode());
    onTestFinished(async () => broker.close());
    started.push({ broker, got });
  }
  const [one, other = one] = started;
  if (!one || started.length !== nodes) throw new Error(`${name} has made ${started.length} nodes`);
  return [one, other as Node, bench.pass];
}

/** What the sink is handed of a channel, until there are so many. */
export async function take({ got }: Node, count: number, channel = CHANNEL): Promise<Publication[]> {
  const taken: Publication[] = [];
  while (taken.length < count) {
    const publication = await got.next();
    if (publication.channel === channel) taken.push(publication);
  }
  return taken;
}

/** A node that listens to nothing but its sink. */
export function quietNode(): BrokerNode {
  return {
    clock: new SystemClock(),
    random: new SystemRandom(),
    unsure: () => undefined,
    stateChanged: () => undefined,
    probed: () => undefined,
    warn: () => undefined,
    failed: () => undefined,
  };
}

import { randomUUID } from 'node:crypto';
import type { PresenceChange, PresenceCount, PresenceMember, PresenceStore } from 'nestjs-channels';
import { onTestFinished } from 'vitest';
import { Arrivals } from '../support/arrivals.js';

/** Stores under test, and their time. */
export interface PresenceBench {
  /** Nodes that share who is there, not yet started: one where the store lives in one process. */
  readonly nodes: readonly PresenceStore[];
  /** Lets so much time pass for them. */
  pass(ms: number): Promise<void>;
  /** Ends a node without a word. */
  kill?(node: PresenceStore): Promise<void> | void;
}

/** How the contract gets stores of one kind. */
export interface PresenceKind {
  /** How many nodes can share who is there: more than one unless the store lives in one process. */
  readonly nodes: 1 | 2;
  /** Short where time is real. */
  readonly graceMs: number;
  /** After how long a dead node is given up. */
  readonly leaseMs: number;
  create(): Promise<PresenceBench> | PresenceBench;
}

export const CHANNEL = 'chat:AZaz09_.:@=+~-';
export const OTHER = 'a'.repeat(255);

/** Those who come and go when everything before has been told: another one each time. */
const LAST = 'the last one ';
let asked = 0;

/** One node of a test, with what it was told. */
export class PresenceNode {
  readonly #told = new Arrivals<PresenceChange>();
  readonly failures: unknown[] = [];

  constructor(readonly store: PresenceStore) {}

  async start(graceMs: number): Promise<void> {
    await this.store.start({
      node: randomUUID(),
      graceMs,
      changed: (change) => this.#told.add(change),
      failed: (error) => this.failures.push(error),
    });
  }

  has(principal: string, connections = 1, channel = CHANNEL): void {
    this.#set({ channel, principal, connections, isLost: false });
  }

  loses(principal: string, connections = 0, channel = CHANNEL): void {
    this.#set({ channel, principal, connections, isLost: true });
  }

  /** The connections of everybody, by principal. */
  async members(channel = CHANNEL, limit = 10_000): Promise<Record<string, number>> {
    const { members } = await this.store.members(channel, limit);
    return Object.fromEntries(members.map(toEntry));
  }

  /** The next change that it is told, as `join ada`. */
  async next(): Promise<string> {
    const { type, principal } = await this.#told.next();
    return `${type} ${principal}`;
  }

  /** All that it has been told of a channel, up to now: whatever is on its way has come. */
  async told(channel = CHANNEL): Promise<string[]> {
    const last = `${LAST}${(asked += 1)}`;
    this.has(last, 1, channel);
    this.has(last, 0, channel);
    const isLast = ({ type, principal }: PresenceChange): boolean => type === 'leave' && principal === last;
    while (!this.#told.all.some(isLast)) await this.#told.next();
    return this.toldBefore(channel);
  }

  /** All that it has been told of a channel so far. */
  toldBefore(channel = CHANNEL): string[] {
    return this.#told.all
      .filter((change) => change.channel === channel && !change.principal.startsWith(LAST))
      .map(({ type, principal, connections }) => `${type} ${principal} ${connections}`);
  }

  #set(count: PresenceCount): void {
    this.store.set(count);
  }
}

function toEntry({ principal, connections }: PresenceMember): [string, number] {
  return [principal, connections];
}

export interface StartedPresence {
  readonly node: PresenceNode;
  /** The same where there is but one. */
  readonly other: PresenceNode;
  readonly bench: PresenceBench;
}

/** Nodes of one kind, started. */
export async function startPresence(kind: PresenceKind, graceMs = kind.graceMs): Promise<StartedPresence> {
  const bench = await kind.create();
  const nodes = bench.nodes.map((store) => new PresenceNode(store));
  for (const node of nodes) {
    await node.start(graceMs);
    onTestFinished(async () => node.store.close());
  }
  const [node, other = node] = nodes;
  if (!node || nodes.length !== kind.nodes) throw new Error(`the kind has made ${nodes.length} nodes`);
  return { node, other: other as PresenceNode, bench };
}

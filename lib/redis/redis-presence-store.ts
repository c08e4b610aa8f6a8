import type {
  PresenceCount,
  PresenceMembers,
  PresenceRules,
  PresenceStore,
} from '../core/presence-store.interface.js';
import { PresenceKeys } from './presence-keys.js';
import type { PresenceSnapshot } from './presence-mirror.js';
import type { RedisLink } from './redis-link.js';
import { PRESENCE_CLAIM } from './scripts/presence-claim.js';
import { PRESENCE_MEMBERS } from './scripts/presence-members.js';
import { PRESENCE_SWEEP } from './scripts/presence-sweep.js';
import { PRESENCE_WRITE } from './scripts/presence-write.js';
import { ServedPresence, type PresencePort, type PresenceWrite } from './served-presence.js';
import type { Script } from './script.js';

/** Without a sign of life for this long a node has died. */
const LEASE_MS = 10_000;

/** How often a node gives one, for each of its channels, and looks for what is over. */
const SWEEP_MS = 2_000;

/** How long a channel is listened to that nobody is in any more: who loads a page again comes back at once. */
const LINGER_MS = 2_000;

/** Channels that are looked after at the same time: Redis has others to answer as well. */
const MAX_AT_ONCE = 1_000;

/** As much of a `RedisLink` as presence needs. */
export type PresenceLink = Pick<
  RedisLink,
  'prefix' | 'database' | 'run' | 'listen' | 'unlisten' | 'onBack' | 'onTick'
>;

export interface RedisPresenceParts {
  readonly link: PresenceLink;

  /**
   * After how long without a sign of life a node has died, in milliseconds.
   *
   * @default 10_000
   */
  readonly leaseMs?: number;

  /**
   * How often a node gives one, in milliseconds: well below the lease.
   *
   * @default 2_000
   */
  readonly sweepMs?: number;
}

const NO_RULES: PresenceRules = { node: '', graceMs: 0, changed: () => undefined, failed: () => undefined };

/**
 * Presence over all nodes that share a Redis. Each channel has it in one place, with the lives of its nodes, judged by
 * the clock of Redis; all that happens there happens in scripts, so that each join and leave is found once.
 */
export class RedisPresenceStore implements PresenceStore {
  readonly #link: PresenceLink;
  readonly #keys: PresenceKeys;
  readonly #leaseMs: number;
  readonly #sweepMs: number;
  /** In the order in which they were looked after. */
  readonly #served = new Map<string, ServedPresence>();
  readonly #running = new Set<ServedPresence>();
  readonly #waiting = new Set<ServedPresence>();
  #rules = NO_RULES;
  #now = 0;
  #isFailing = false;

  constructor({ link, leaseMs = LEASE_MS, sweepMs = SWEEP_MS }: RedisPresenceParts) {
    this.#link = link;
    this.#keys = new PresenceKeys(link.prefix, link.database);
    this.#leaseMs = leaseMs;
    this.#sweepMs = sweepMs;
  }

  start(rules: PresenceRules): void {
    this.#rules = rules;
    this.#link.onTick((now) => this.#tick(now));
    this.#link.onBack(() => this.#doubt());
  }

  set({ channel, principal, connections, isLost }: PresenceCount): void {
    let served = this.#served.get(channel);
    if (!served) {
      // Nobody was there who could have left.
      if (connections === 0) return;
      served = new ServedPresence(this.#port(channel), this.#now);
      this.#served.set(channel, served);
    }
    served.set({ principal: JSON.stringify(principal), connections, isLost });
    this.#work(served);
  }

  async members(channel: string, limit: number): Promise<PresenceMembers> {
    const most = Number.isFinite(limit) ? limit : -1;
    const served = this.#served.get(channel);
    const { members, count } = await (served ? served.members(most) : this.#read(channel, most));
    return {
      members: Array.from(members, ([principal, connections]) => ({
        principal: JSON.parse(principal) as string,
        connections,
      })),
      count,
    };
  }

  async close(): Promise<void> {
    const served = [...this.#served];
    this.#served.clear();
    this.#waiting.clear();
    await Promise.all(
      served.map(async ([channel, presence]) => {
        presence.empty();
        await presence.work();
        this.#link.unlisten(this.#keys.channel(channel));
      }),
    );
    this.#rules = NO_RULES;
  }

  /** Those whose turn it is, and no more at a time than there have to be. */
  #tick(now: number): void {
    const budget = Math.ceil((this.#served.size * (now - this.#now)) / this.#sweepMs);
    this.#now = now;
    let looked = 0;
    for (const [channel, served] of this.#served) {
      if (looked >= budget || now - served.sweptAt < this.#sweepMs) return;
      looked++;
      served.sweptAt = now;
      this.#served.delete(channel);
      if (this.#isOver(served, now)) this.#link.unlisten(this.#keys.channel(channel));
      else this.#served.set(channel, served);
      served.due();
      this.#work(served);
    }
  }

  #isOver(served: ServedPresence, now: number): boolean {
    if (!served.isEmpty) served.emptySince = undefined;
    else served.emptySince ??= now;
    return served.emptySince !== undefined && now - served.emptySince >= LINGER_MS;
  }

  #doubt(): void {
    for (const served of this.#served.values()) {
      served.doubt();
      served.sweptAt = -Infinity;
    }
  }

  #work(served: ServedPresence): void {
    if (this.#running.size >= MAX_AT_ONCE && !this.#running.has(served)) {
      this.#waiting.add(served);
      return;
    }
    this.#running.add(served);
    void served.work().then(() => this.#worked(served));
  }

  #worked(served: ServedPresence): void {
    if (served.isWorking || !this.#running.delete(served)) return;
    for (const next of this.#waiting) {
      this.#waiting.delete(next);
      this.#work(next);
      return;
    }
  }

  #port(channel: string): PresencePort {
    return {
      listen: (received) => this.#link.listen(this.#keys.channel(channel), received),
      write: (write) => this.#write(channel, write),
      claim: async (revision) => toMembers(await this.#run(PRESENCE_CLAIM, channel, [revision])),
      sweep: (revision) => this.#number(this.#run(PRESENCE_SWEEP, channel, [revision])),
      read: (limit) => this.#read(channel, limit),
      changed: ({ type, principal, connections }) =>
        this.#rules.changed({ type, channel, principal: JSON.parse(principal) as string, connections }),
      failed: (error) => this.#failed(error),
    };
  }

  #write(channel: string, { changes, revision, fresh }: PresenceWrite): Promise<number | undefined> {
    const args: (string | number)[] = [revision, fresh];
    for (const { principal, connections, isLost } of changes) {
      args.push(principal, connections, isLost ? '1' : '');
    }
    return this.#number(this.#run(PRESENCE_WRITE, channel, args));
  }

  async #read(channel: string, limit: number): Promise<PresenceSnapshot> {
    const answer = await this.#run(PRESENCE_MEMBERS, channel, [limit]);
    const [number, count, found] = answer as [number, number, unknown];
    return { number, count, members: toMembers(found) };
  }

  async #number(answer: Promise<unknown>): Promise<number | undefined> {
    const number = await answer;
    this.#isFailing = false;
    return typeof number === 'number' ? number : undefined;
  }

  #run(script: Script, channel: string, args: readonly (string | number)[]): Promise<unknown> {
    const { node, graceMs } = this.#rules;
    const common = [node, this.#keys.channel(channel), this.#leaseMs, graceMs];
    return this.#link.run(script, this.#keys.of(channel), [...common, ...args]);
  }

  /** Once for each time that Redis is away, however many channels there are. */
  #failed(error: unknown): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    this.#rules.failed(error);
  }
}

/** From pairs of a principal and its connections. */
function toMembers(pairs: unknown): Map<string, number> {
  const found = pairs as readonly (string | number)[];
  const members = new Map<string, number>();
  for (let at = 0; at < found.length; at += 2) members.set(String(found[at]), Number(found[at + 1]));
  return members;
}

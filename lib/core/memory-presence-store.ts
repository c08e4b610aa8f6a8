import { Alarms } from './alarms.js';
import type { Clock } from './clock.interface.js';
import type { Expirable } from './deadlines.js';
import type {
  PresenceCount,
  PresenceMembers,
  PresenceRules,
  PresenceStore,
} from './presence-store.interface.js';
import type { Sizes } from './tables.js';

/** One principal in one channel. */
interface Entry {
  connections: number;
  /** Rings when the time to come back is over. */
  leave?: Expirable;
}

const NO_RULES: PresenceRules = { node: '', graceMs: 0, changed: () => undefined, failed: () => undefined };

/** The presence of a single process: its node is the only one. */
export class MemoryPresenceStore implements PresenceStore {
  readonly #alarms: Alarms;
  /** By channel and principal. None of them is empty. */
  readonly #channels = new Map<string, Map<string, Entry>>();
  #rules = NO_RULES;

  constructor({ clock }: { readonly clock: Clock }) {
    this.#alarms = new Alarms(clock);
  }

  sizes(): Sizes {
    return { channels: this.#channels.size };
  }

  /** Channels that somebody is in, or may come back to. */
  get size(): number {
    return this.#channels.size;
  }

  start(rules: PresenceRules): void {
    this.#rules = rules;
  }

  set(count: PresenceCount): void {
    const entry = this.#channels.get(count.channel)?.get(count.principal);
    if (count.connections > 0) this.#enter(count, entry);
    else if (entry) this.#exit(count, entry);
  }

  members(channel: string, limit: number): PresenceMembers {
    const entries = this.#channels.get(channel);
    const members = [];
    for (const [principal, { connections }] of entries ?? []) {
      if (members.length >= limit) break;
      members.push({ principal, connections });
    }
    return { members, count: entries?.size ?? 0 };
  }

  close(): void {
    for (const entries of this.#channels.values()) for (const entry of entries.values()) this.#stay(entry);
    this.#channels.clear();
    this.#rules = NO_RULES;
  }

  #enter({ channel, principal, connections }: PresenceCount, known: Entry | undefined): void {
    if (known) {
      this.#stay(known);
      known.connections = connections;
      return;
    }
    const entries = this.#channels.get(channel) ?? new Map<string, Entry>();
    this.#channels.set(channel, entries.set(principal, { connections }));
    this.#rules.changed({ type: 'join', channel, principal, connections });
  }

  #exit(count: PresenceCount, entry: Entry): void {
    this.#stay(entry);
    entry.connections = 0;
    const { graceMs } = this.#rules;
    if (!count.isLost || graceMs === 0) {
      this.#remove(count);
      return;
    }
    entry.leave = { expiresAt: 0, expire: () => this.#remove(count) };
    this.#alarms.add(entry.leave, graceMs);
  }

  #stay(entry: Entry): void {
    if (entry.leave) this.#alarms.delete(entry.leave, this.#rules.graceMs);
    entry.leave = undefined;
  }

  #remove({ channel, principal }: PresenceCount): void {
    const entries = this.#channels.get(channel);
    if (!entries?.delete(principal)) return;
    if (entries.size === 0) this.#channels.delete(channel);
    this.#rules.changed({ type: 'leave', channel, principal, connections: 0 });
  }
}

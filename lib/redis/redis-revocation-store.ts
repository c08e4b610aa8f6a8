import { ChannelsError, isUnavailable } from '../core/errors.js';
import type { Identity } from '../core/identity.js';
import type {
  Revocation,
  RevocationHost,
  RevocationStore,
  RevocationTarget,
} from '../core/revocation-store.interface.js';
import { noRoom, RevocationTable } from '../core/revocation-table.js';
import { parseTarget } from '../core/revocation-target.js';
import type { Keys } from './keys.js';
import type { RedisLink } from './redis-link.js';
import { ADD_REVOCATION } from './scripts/add-revocation.js';
import { READ_REVOCATIONS } from './scripts/read-revocations.js';

/** How often a node looks for what it was not told: well within the second that is promised. */
const LOOK_MS = 500;

/** For how long what has ended stays in Redis: the clocks of the nodes may differ by so much. */
const LINGER_MS = 60_000;

/** What a node tells Redis at a time, behind a loss. */
const TOLD_AT_ONCE = 100;

/** What of a link is needed here. */
export type RevocationsLink = Pick<RedisLink, 'run' | 'onBack' | 'onTick'>;

/**
 * Revocations in Redis, of which each node has a copy: a handshake waits for nobody, and what a node knows holds while
 * Redis is away. What Redis loses the nodes tell it again.
 */
export class RedisRevocationStore implements RevocationStore {
  #host?: RevocationHost;
  #table?: RevocationTable;
  #life = '';
  #change = 0;
  /** What Redis does not have, by target. */
  readonly #owed = new Map<string, Revocation>();
  #looking?: Promise<void>;
  #lookedAt = -Infinity;
  /** Redis has been away: what is there now may have the same number for another change. */
  #isUnsure = false;

  constructor(
    private readonly link: RevocationsLink,
    private readonly keys: Keys,
  ) {}

  get size(): number {
    return this.#table?.size ?? 0;
  }

  async start(host: RevocationHost): Promise<void> {
    this.#host = host;
    this.#table = new RevocationTable(host.clock);
    this.link.onBack(() => {
      this.#isUnsure = true;
      void this.#look();
    });
    this.link.onTick((now) => {
      if (now >= this.#lookedAt + LOOK_MS) void this.#look();
    });
    await this.#look();
  }

  async add(revocation: Revocation): Promise<void> {
    const { target } = revocation;
    const max = this.#host?.maxRevocations ?? 0;
    const table = this.#table;
    if (!table?.hasRoom(target, max)) throw noRoom(max);
    const isNew = !table.get(target);
    table.set(revocation);
    try {
      await this.#tell(revocation);
    } catch (error) {
      if (isUnavailable(error)) this.#owed.set(encodeTarget(target), table.get(target) ?? revocation);
      else if (isNew) table.delete(target);
      throw error;
    }
  }

  learn(revocation: Revocation): void {
    this.#table?.set(revocation);
  }

  covers(identity: Identity): boolean {
    return this.#table?.covers(identity) ?? false;
  }

  close(): void {
    this.#host = undefined;
  }

  /** @throws ChannelsError `limit_exceeded`, `unavailable` */
  async #tell({ target, revokedAt, until }: Revocation): Promise<void> {
    const host = this.#host;
    if (!host) throw new ChannelsError('unavailable', 'the node is closed');
    const { maxRevocations: max, random } = host;
    const args = [max, LINGER_MS, random.id(), encodeTarget(target), revokedAt, until];
    const life = String(await this.link.run(ADD_REVOCATION, this.#revoked, args));
    if (life === '') throw noRoom(max);
    // What Redis forgets before this node has looked was there nevertheless.
    if (this.#life === '') this.#life = life;
  }

  /** One at a time: a slow Redis gets no second question while it owes the answer to the first. */
  #look(): Promise<void> {
    return (this.#looking ??= this.#lookOnce().finally(() => {
      this.#looking = undefined;
    }));
  }

  async #lookOnce(): Promise<void> {
    const host = this.#host;
    if (!host) return;
    this.#lookedAt = host.clock.now();
    try {
      await this.#read();
      await this.#tellOwed();
    } catch (error) {
      // That Redis is away is told once, by the broker.
      if (!isUnavailable(error)) host.failed('the revocations in Redis', error);
    }
  }

  async #read(): Promise<void> {
    const wasUnsure = this.#isUnsure;
    this.#isUnsure = false;
    const since = wasUnsure ? 0 : this.#change;
    let answer: unknown;
    try {
      answer = await this.link.run(READ_REVOCATIONS, this.#revoked, [this.#life, since]);
    } catch (error) {
      this.#isUnsure ||= wasUnsure;
      throw error;
    }
    const [life, text, found] = answer as [string, string, readonly string[]];
    const change = Number(text);
    const isOther = wasUnsure || life !== this.#life || change < this.#change;
    const hasLost = this.#table?.size && isOther;
    this.#life = life;
    this.#change = change;
    let isNew = false;
    for (let at = 0; at < found.length; at += 2) {
      const revocation = this.#parse(found[at] as string, found[at + 1] as string);
      if (revocation && this.#table?.set(revocation)) isNew = true;
    }
    if (hasLost) this.#oweAllBut(found);
    if (isNew) this.#host?.found();
  }

  #oweAllBut(found: readonly string[]): void {
    const known = new Set(found);
    const now = this.#host?.clock.wallNow() ?? 0;
    for (const revocation of this.#table?.all() ?? []) {
      const name = encodeTarget(revocation.target);
      if (!known.has(name) && revocation.until > now) this.#owed.set(name, revocation);
    }
  }

  async #tellOwed(): Promise<void> {
    while (this.#owed.size > 0 && this.#host) {
      const some = [...this.#owed].slice(0, TOLD_AT_ONCE);
      // One after the other, so that others get in between.
      // oxlint-disable-next-line no-await-in-loop
      await Promise.all(some.map(([name, revocation]) => this.#pay(name, revocation)));
    }
  }

  async #pay(name: string, revocation: Revocation): Promise<void> {
    try {
      await this.#tell(revocation);
    } catch (error) {
      if (!(error instanceof ChannelsError && error.code === 'limit_exceeded')) throw error;
      // This node goes on to know it; nobody else has room for it.
      this.#host?.failed('a revocation that Redis has lost', error);
    }
    if (this.#owed.get(name) === revocation) this.#owed.delete(name);
  }

  #parse(target: string, times: string): Revocation | undefined {
    try {
      const [revokedAt = Number.NaN, until = Number.NaN] = times.split(' ').map(Number);
      if (!(revokedAt >= 0 && until >= 0)) throw new TypeError(`${times.slice(0, 80)} are no times`);
      return { target: decodeTarget(target), revokedAt, until };
    } catch (error) {
      this.#host?.failed('a revocation in Redis', error);
      return undefined;
    }
  }

  get #revoked(): readonly string[] {
    return this.keys.revocations;
  }
}

/** The same text for the same target. */
function encodeTarget({ principal, claim }: RevocationTarget): string {
  return JSON.stringify(claim ? [claim.name, claim.value] : [principal]);
}

/** @throws ChannelsError or SyntaxError for what is none */
function decodeTarget(text: string): RevocationTarget {
  const [first, value] = JSON.parse(text) as readonly unknown[];
  return parseTarget(value === undefined ? { principal: first } : { claim: { name: first, value } });
}

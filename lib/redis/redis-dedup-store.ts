import { createHash } from 'node:crypto';
import type { BrokerNode } from '../core/broker.interface.js';
import type { Claim, DedupKey, DedupRules, DedupStore, StoredAnswer } from '../core/dedup-store.interface.js';
import { ChannelsError } from '../core/errors.js';
import { DedupWaits } from './dedup-waits.js';
import { Insistence } from './insistence.js';
import { Keys } from './keys.js';
import { resolveDedupOptions, type RedisDedupOptions } from './redis-dedup-options.interface.js';
import { mayHaveHappened } from './redis-error.js';
import type { RedisLink } from './redis-link.js';
import type { Script } from './script.js';
import { DEDUP_CLAIM } from './scripts/dedup-claim.js';
import { DEDUP_LOOK } from './scripts/dedup-look.js';
import { DEDUP_RELEASE } from './scripts/dedup-release.js';
import { DEDUP_RENEW } from './scripts/dedup-renew.js';
import { DEDUP_RESOLVE } from './scripts/dedup-resolve.js';

/** Of the node's part of a token; two processes never have the same. */
const TOKEN_LENGTH = 11;

/** What a {@link RedisDedupStore} needs of its node. */
export type DedupNode = Pick<BrokerNode, 'clock' | 'random'>;

interface Started {
  readonly rules: DedupRules;
  readonly waits: DedupWaits;
  readonly insistence: Insistence;
}

/**
 * The dedup store of all nodes that share a Redis. A claim that Redis cannot give rejects with `unavailable`, and
 * nothing has run. An answer that Redis cannot take is offered again for as long as the claim may hold.
 */
export class RedisDedupStore implements DedupStore {
  readonly maxAnswerBytes: number;
  readonly #maxWaitingCopies: number;
  readonly #keys: Keys;
  #node?: DedupNode;
  #started?: Started;
  #tokens = '';
  #tokenCount = 0;

  /** @throws TypeError where an option has no meaning */
  constructor(
    private readonly link: RedisLink,
    options: RedisDedupOptions = {},
  ) {
    const { maxAnswerBytes, maxWaitingCopies } = resolveDedupOptions(options);
    this.maxAnswerBytes = maxAnswerBytes;
    this.#maxWaitingCopies = maxWaitingCopies;
    this.#keys = new Keys(link.prefix, link.database);
    link.onBack(() => this.#started?.waits.lookSoon());
  }

  /** Called once, before {@link start}. */
  attach(node: DedupNode): void {
    this.#node = node;
    this.#tokens = node.random.id().slice(0, TOKEN_LENGTH);
  }

  start(rules: DedupRules): void {
    const node = this.#node;
    if (!node) throw new Error('The store has no node: its broker starts first.');
    const { clock, random } = node;
    const waits = new DedupWaits({
      clock,
      random,
      max: this.#maxWaitingCopies,
      listen: (name, ended) => this.link.listen(this.#keys.dedupChannel(name), ended),
      unlisten: (name) => this.link.unlisten(this.#keys.dedupChannel(name)),
      look: async (name) => Number(await this.#run(DEDUP_LOOK, name, [rules.leaseMs])),
    });
    this.#started = { rules, waits, insistence: new Insistence(clock, random, rules.leaseMs) };
  }

  async claim(key: DedupKey): Promise<Claim> {
    const { leaseMs, windowMs } = this.#running.rules;
    const name = nameOf(key);
    const token = this.#tokens + (this.#tokenCount++).toString(36);
    const wasConnected = this.link.isConnected;
    try {
      return decodeClaim(await this.#run(DEDUP_CLAIM, name, [hashOf(key), token, leaseMs, windowMs]));
    } catch (error) {
      if (wasConnected && mayHaveHappened(error)) this.#abandon(name, token);
      throw error;
    }
  }

  async renew(key: DedupKey, fence: number): Promise<boolean> {
    const { leaseMs } = this.#running.rules;
    return (await this.#run(DEDUP_RENEW, nameOf(key), [fence, leaseMs, hashOf(key)])) === 1;
  }

  /** Rejects where Redis could not be told before the claim has lapsed: then a later copy runs again. */
  async resolve(key: DedupKey, fence: number, answer: StoredAnswer): Promise<boolean> {
    const { rules, insistence } = this.#running;
    const name = nameOf(key);
    const text = encodeAnswer(answer);
    const args = [fence, text, rules.windowMs, this.#keys.dedupChannel(name), hashOf(key)];
    return (await insistence.run(() => this.#run(DEDUP_RESOLVE, name, args), text.length)) === 1;
  }

  async release(key: DedupKey, fence: number): Promise<void> {
    await this.#release(nameOf(key), 'f', fence);
  }

  async wait(key: DedupKey, signal: AbortSignal): Promise<void> {
    await this.#running.waits.wait(nameOf(key), signal);
  }

  close(): void {
    this.#started?.waits.close();
    this.#started?.insistence.close();
    this.#started = undefined;
  }

  /**
   * Redis may have made a claim that this node does not know to have. Nothing runs under it, so it is released, in
   * order that the next copy need not wait for its end.
   */
  #abandon(name: string, token: string): void {
    if (!this.#started?.insistence.hasRoom) return;
    // Where that fails it lapses.
    this.#release(name, 't', token).catch(() => undefined);
  }

  async #release(name: string, by: 'f' | 't', value: string | number): Promise<void> {
    const { rules, insistence } = this.#running;
    const args = [by, value, rules.leaseMs, this.#keys.dedupChannel(name)];
    await insistence.run(() => this.#run(DEDUP_RELEASE, name, args));
  }

  #run(script: Script, name: string, args: readonly (string | number)[]): Promise<unknown> {
    return this.link.run(script, [this.#keys.dedup(name)], args);
  }

  get #running(): Started {
    if (!this.#started)
      throw new ChannelsError('unavailable', 'the dedup store is closed, or was not started');
    return this.#started;
  }
}

/**
 * A key of Redis may be of any bytes, but not of any length, and braces would move it. As JSON, so that the parts
 * cannot run into each other, and lone surrogates are not taken for one another.
 */
function nameOf({ principal, clientId, id }: DedupKey): string {
  return createHash('sha256')
    .update(JSON.stringify([principal, clientId, String(id)]))
    .digest('base64url');
}

/** Of a short message the content itself is given, which is not for a Redis to have. */
function hashOf({ contentHash }: DedupKey): string {
  return createHash('sha256').update(contentHash).digest('base64url');
}

/** A letter says what the text behind it is. */
function encodeAnswer(answer: StoredAnswer): string {
  if (answer.type === 'error') return `e${answer.error}`;
  return answer.data === undefined ? 'n' : `d${answer.data}`;
}

function decodeAnswer(text: string): StoredAnswer {
  switch (text[0]) {
    case 'e':
      return { type: 'error', error: text.slice(1) };
    case 'd':
      return { type: 'data', data: text.slice(1) };
    default:
      return { type: 'data', data: undefined };
  }
}

function decodeClaim(reply: unknown): Claim {
  const [type, value = ''] = reply as [Claim['type'], string?];
  switch (type) {
    case 'claimed':
      return { type, fence: Number(value) };
    case 'answered':
      return { type, answer: decodeAnswer(value) };
    default:
      return { type };
  }
}

import { hostname } from 'node:os';
import type { Timer } from '../core/clock.interface.js';
import { isUnavailable } from '../core/errors.js';
import type { Nodes, NodesHost, NodesReply } from '../core/nodes.interface.js';
import type { Random } from '../core/random.interface.js';
import type { Keys } from './keys.js';
import { KnownNodes, NODE_MISSING_MS, parseView, type NodesView } from './known-nodes.js';
import {
  encodeAnswer,
  encodeQuestion,
  parseAnswer,
  parseQuestion,
  type AnswerMessage,
  type QuestionMessage,
} from './node-messages.js';
import { NodeRound } from './node-round.js';
import type { RedisLink } from './redis-link.js';
import { ASK_NODES } from './scripts/ask-nodes.js';
import { END_LEASE } from './scripts/end-lease.js';
import { RENEW_LEASE } from './scripts/renew-lease.js';

/** How long a node counts as alive that says nothing more. Behind that it is missing, and not waited for. */
export const NODE_LEASE_MS = 6_000;

/** Questions under way. One more is not asked, and all others are missing. */
const MAX_ROUNDS = 256;

/** What is wrong with every message is told once in so many milliseconds. */
const REPEAT_AFTER_MS = 60_000;

/** What of a link is needed here. */
export type NodesLink = Pick<RedisLink, 'run' | 'publish' | 'listen' | 'unlisten' | 'onBack'>;

/**
 * Nodes that know each other by leases in Redis, and ask each other by its pub/sub: every node listens to one channel
 * for questions, and to one of its own for answers.
 */
export class RedisNodes implements Nodes {
  #id = '';
  #host?: NodesHost;
  readonly #others: KnownNodes;
  readonly #rounds = new Map<string, NodeRound>();
  readonly #reportedAt = new Map<string, number>();
  #isListening = false;
  #renewing?: Promise<void>;
  #ticker?: Timer;

  constructor(
    private readonly link: NodesLink,
    private readonly keys: Keys,
    private readonly leaseMs = NODE_LEASE_MS,
    private readonly missingMs = NODE_MISSING_MS,
  ) {
    this.#others = new KnownNodes(missingMs);
  }

  get id(): string {
    return this.#id;
  }

  async start(host: NodesHost): Promise<void> {
    this.#host = host;
    this.#id = newId(host.random);
    this.#ticker = host.clock.setInterval(() => void this.#renew(), this.leaseMs / 3);
    this.link.onBack(() => void this.#renew());
    await this.#renew();
  }

  async ask(question: string, timeoutMs: number): Promise<NodesReply> {
    const host = this.#host;
    const round = new NodeRound();
    if (!host || this.#rounds.size >= MAX_ROUNDS) return round.reply(this.#others.all);
    const id = host.random.id();
    this.#rounds.set(id, round);
    const timer = host.clock.setTimeout(() => round.end(), timeoutMs);
    void this.#ask({ id, from: this.#id, text: question }, round);
    await round.ended;
    host.clock.clearTimer(timer);
    this.#rounds.delete(id);
    return round.reply(this.#others.all);
  }

  alive(): readonly string[] {
    return [this.#id, ...this.#others.asked];
  }

  async close(): Promise<void> {
    const host = this.#host;
    if (!host) return;
    this.#host = undefined;
    if (this.#ticker) host.clock.clearTimer(this.#ticker);
    for (const round of this.#rounds.values()) round.end();
    this.#others.clear();
    // A lease that is renewed behind its end would name a node that is gone.
    await this.#renewing;
    try {
      this.link.unlisten(this.keys.questions);
      this.link.unlisten(this.keys.answersTo(this.#id));
      await this.link.run(END_LEASE, this.#names, [this.missingMs, this.#id]);
    } catch (error) {
      // The lease ends by itself.
      if (!isUnavailable(error)) host.failed('the end of the lease of this node', error);
    }
  }

  /** One at a time: a slow Redis gets no second question while it owes the answer to the first. */
  #renew(): Promise<void> {
    return (this.#renewing ??= this.#renewOnce().finally(() => {
      this.#renewing = undefined;
    }));
  }

  async #renewOnce(): Promise<void> {
    if (!this.#host) return;
    try {
      // A node that is among the others must hear them.
      await this.#listen();
      this.#see(await this.link.run(RENEW_LEASE, this.#names, [this.missingMs, this.#id, this.leaseMs]));
    } catch (error) {
      this.#report('the lease of this node', error);
    }
  }

  async #listen(): Promise<void> {
    if (this.#isListening) return;
    await Promise.all([
      this.link.listen(this.keys.questions, (message) => void this.#answer(message)),
      this.link.listen(this.keys.answersTo(this.#id), (message) => this.#take(message)),
    ]);
    this.#isListening = true;
  }

  async #ask(question: QuestionMessage, round: NodeRound): Promise<void> {
    try {
      const args = [this.missingMs, this.keys.questions, encodeQuestion(question)];
      const isAlive = this.#see(await this.link.run(ASK_NODES, this.#names, args));
      // Where even the own lease has ended, Redis stood still, and all others may have heard.
      round.expect(this.#others.all, isAlive ? this.#others.asked : this.#others.all);
    } catch (error) {
      this.#report('a question to the other nodes', error);
      round.end();
    }
  }

  async #answer(message: string): Promise<void> {
    const host = this.#host;
    if (!host) return;
    try {
      const { id, from, text } = parseQuestion(message);
      if (from === this.#id) return;
      const answer = { id, from: this.#id, text: await host.answer(text) };
      const channel = this.keys.answersTo(from);
      for (const part of encodeAnswer(answer)) {
        // One after the other, so that publications get in between.
        // oxlint-disable-next-line no-await-in-loop
        await this.link.publish(channel, part);
      }
    } catch (error) {
      this.#report('the question of another node', error);
    }
  }

  #take(message: string): void {
    let answer: AnswerMessage;
    try {
      answer = parseAnswer(message);
    } catch (error) {
      this.#report('the answer of another node', error);
      return;
    }
    // Whoever is late finds nobody who waits.
    this.#rounds.get(answer.id)?.add(answer);
  }

  /** @returns whether this node is among those that are alive */
  #see(reply: unknown): boolean {
    const { alive, lapsed, left } = parseView(reply);
    const others: NodesView = {
      alive: alive.filter((node) => node !== this.#id),
      lapsed: lapsed.filter(([node]) => node !== this.#id),
      left,
    };
    if (this.#host) this.#others.see(others, this.#host.clock.now());
    return alive.includes(this.#id);
  }

  get #names(): readonly string[] {
    return [this.keys.leases, this.keys.left];
  }

  #report(where: string, error: unknown): void {
    const host = this.#host;
    // That Redis is away is told once, by the broker.
    if (!host || isUnavailable(error)) return;
    const now = host.clock.now();
    if (now - (this.#reportedAt.get(where) ?? -Infinity) < REPEAT_AFTER_MS) return;
    this.#reportedAt.set(where, now);
    host.failed(where, error);
  }
}

/** Says where the node runs, so that an operator finds it, and differs from that of its next life. */
function newId(random: Random): string {
  const host = hostname()
    .replace(/[^A-Za-z0-9.-]/g, '-')
    .slice(0, 64);
  return `${host}:${process.pid}:${random.id().slice(0, 8)}`;
}

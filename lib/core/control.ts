import { CLOSE_CODES } from '../protocol/index.js';
import {
  findConnections,
  isEmpty,
  parseFilter,
  summarize,
  type ConnectionFilter,
  type ConnectionSummary,
} from './connection-filter.js';
import {
  encodeMessage,
  parseConnections,
  parseDisconnected,
  parseQuestion,
  parseWatched,
  type ConnectionsAnswer,
  type ControlQuestion,
  type DisconnectAnswer,
} from './control-messages.js';
import type { Engine } from './engine.js';
import { ChannelsError } from './errors.js';
import type { Nodes, NodesAnswered } from './nodes.interface.js';

/** The longest answer of one node, in characters. */
const MAX_ANSWER_LENGTH = 2_097_152;

/** The answers of all other nodes to one question: a Redis drops a connection that has 32 MB to read. */
const MAX_ANSWERS_LENGTH = 16_777_216;

type Question<Type extends ControlQuestion['type']> = Extract<ControlQuestion, { type: Type }>;

/** Looks for connections on all nodes and closes them. */
export class Control {
  constructor(
    private readonly engine: Engine,
    readonly nodes: Nodes,
  ) {}

  /** From now on other nodes are answered. */
  start(): Promise<void> | void {
    const { clock, random, observers } = this.engine;
    return this.nodes.start({
      clock,
      random,
      answer: (text) => this.#answer(text),
      failed: (where, error) => observers.failed({ where, error }),
    });
  }

  close(): Promise<void> | void {
    return this.nodes.close();
  }

  /** Those of this node are closing when the call returns. */
  async disconnect(
    given: ConnectionFilter,
    reconnect: boolean,
  ): Promise<DisconnectAnswer & { readonly nodes: NodesAnswered }> {
    const filter = parseFilter(given);
    if (!filter || isEmpty(filter)) return { disconnected: 0, nodes: NOBODY_ASKED };
    const question: Question<'disconnect'> = { type: 'disconnect', filter, reconnect };
    const own = this.#disconnect(question);
    const { answers, nodes } = await this.#ask(question, parseDisconnected);
    return { disconnected: answers.reduce((sum, { disconnected }) => sum + disconnected, own), nodes };
  }

  /**
   * Those of this node are closing when the call returns.
   *
   * @throws ChannelsError `bad_request`; `limit_exceeded` and `unavailable`, behind the closing, where it is not
   * remembered as it should be
   */
  async revoke(
    target: unknown,
    until: unknown,
  ): Promise<DisconnectAnswer & { readonly nodes: NodesAnswered }> {
    const { revocations } = this.engine;
    const revocation = revocations.parse(target, until);
    const { closed, failure } = await revocations.add(revocation);
    const isFull = failure instanceof ChannelsError && failure.code === 'limit_exceeded';
    const question: Question<'revoke'> = { type: 'revoke', revocation, isKept: !isFull };
    const { answers, nodes } = await this.#ask(question, parseDisconnected);
    if (failure !== undefined) throw failure;
    return { disconnected: answers.reduce((sum, { disconnected }) => sum + disconnected, closed), nodes };
  }

  /** @param limit - how many of each node */
  async connections(
    given: ConnectionFilter,
    limit: number,
  ): Promise<ConnectionsAnswer & { readonly nodes: NodesAnswered }> {
    const filter = parseFilter(given);
    if (!filter) return { connections: [], more: false, nodes: NOBODY_ASKED };
    const others = Math.max(1, this.nodes.alive().length - 1);
    const maxLength = Math.min(MAX_ANSWER_LENGTH, Math.floor(MAX_ANSWERS_LENGTH / others));
    const question: Question<'connections'> = { type: 'connections', filter, limit, maxLength };
    // What stays in this process may be as long as it is.
    const own = this.#connections({ ...question, maxLength: Number.POSITIVE_INFINITY });
    const { answers, nodes } = await this.#ask(question, parseConnections);
    const all = [own, ...answers];
    return {
      connections: all.flatMap(({ connections }) => connections),
      more: all.some(({ more }) => more),
      nodes,
    };
  }

  /** Wants figures of all other nodes, for so long: their observers are told of it by `watched`. */
  async watch(forMs: number): Promise<NodesAnswered> {
    const { nodes } = await this.#ask({ type: 'watch', forMs }, parseWatched);
    return nodes;
  }

  /** What nobody here understands counts as no answer: it may be of a node with another version. */
  async #ask<Answer>(
    question: ControlQuestion,
    parse: (text: string) => Answer,
  ): Promise<{ readonly answers: readonly Answer[]; readonly nodes: NodesAnswered }> {
    const reply = await this.nodes.ask(encodeMessage(question), this.engine.options.controlTimeoutMs);
    const answers: Answer[] = [];
    const missing = [...reply.nodes.missing];
    for (const { node, text } of reply.answers) {
      try {
        answers.push(parse(text));
      } catch (error) {
        missing.push(node);
        this.engine.observers.failed({ where: `the answer of node ${node}`, error });
      }
    }
    const { expected } = reply.nodes;
    return { answers, nodes: { expected, answered: expected - missing.length, missing } };
  }

  /** @throws TypeError for what this version does not understand */
  #answer(text: string): string {
    const question = parseQuestion(text);
    if (question.type === 'disconnect') return encodeMessage({ disconnected: this.#disconnect(question) });
    if (question.type === 'revoke') {
      const { revocation, isKept } = question;
      return encodeMessage({ disconnected: this.engine.revocations.learn(revocation, isKept) });
    }
    if (question.type === 'watch') {
      this.engine.observers.watched(question.forMs);
      return encodeMessage({});
    }
    const maxLength = Math.min(question.maxLength, MAX_ANSWER_LENGTH);
    return encodeMessage(this.#connections({ ...question, maxLength }));
  }

  #disconnect({ filter, reconnect }: Question<'disconnect'>): number {
    // Another node may be wrong about what is empty.
    if (isEmpty(filter)) return 0;
    const { code, reason } = reconnect ? CLOSE_CODES.ServiceRestart : CLOSE_CODES.Normal;
    const targets = findConnections(this.engine, filter);
    for (const connection of targets) connection.close(code, reason);
    return targets.length;
  }

  #connections({ filter, limit, maxLength }: Question<'connections'>): ConnectionsAnswer {
    const connections: ConnectionSummary[] = [];
    let length = 0;
    for (const connection of findConnections(this.engine, filter)) {
      const summary = summarize(connection);
      length += JSON.stringify(summary).length;
      if (connections.length >= limit || length > maxLength) return { connections, more: true };
      connections.push(summary);
    }
    return { connections, more: false };
  }
}

const NOBODY_ASKED: NodesAnswered = { expected: 1, answered: 1, missing: [] };

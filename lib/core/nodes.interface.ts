import type { Clock } from './clock.interface.js';
import type { Random } from './random.interface.js';

/** How many nodes were asked, this one among them, and which gave no answer in time. */
export interface NodesAnswered {
  readonly expected: number;
  readonly answered: number;
  /** Ids, as each node writes its own into the log when it starts. */
  readonly missing: readonly string[];
}

/** What another node has answered. */
export interface NodeAnswer {
  readonly node: string;
  readonly text: string;
}

/** What {@link Nodes.ask} has got. */
export interface NodesReply {
  /** Of the other nodes, in the order in which they came. */
  readonly answers: readonly NodeAnswer[];
  /** This node counts as one that has answered. */
  readonly nodes: NodesAnswered;
}

/** The node that asks and is asked. */
export interface NodesHost {
  readonly clock: Clock;
  readonly random: Random;

  /** Answers another node. What it throws is reported, and the question stays without an answer. */
  answer(question: string): Promise<string> | string;

  /** Something has failed that nobody waits for, or has come in a form that is not understood. */
  failed(where: string, error: unknown): void;
}

/**
 * Port between the nodes of one application, for what one has to ask the others.
 *
 * Guarantees an implementation gives: a question reaches each other node at most once, also one that is slow, and then
 * perhaps after {@link ask} has given up; an answer of any length arrives whole or counts as missing.
 */
export interface Nodes {
  /** Names this node, from {@link start} on and for as long as it runs. */
  readonly id: string;

  /**
   * Called once, before anything else and after the broker has started. This node is one of them from now on; where
   * the others cannot be reached yet, it is as soon as they can.
   */
  start(host: NodesHost): Promise<void> | void;

  /**
   * Asks all other nodes. Never rejects: who has not answered within `timeoutMs` is missing. Where nobody can be
   * reached, those that were there last are. Who has gone without {@link close} is missing for a while, for it may be
   * cut off and its connections still open; it need not be waited for.
   */
  ask(question: string, timeoutMs: number): Promise<NodesReply> | NodesReply;

  /** The nodes that there are, this one first, as it has last seen them. Who dies is among them for some seconds. */
  alive(): readonly string[];

  /** This node leaves. May be called twice. */
  close(): Promise<void> | void;
}

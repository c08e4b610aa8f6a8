/** One who is in a channel, with all connections of theirs. */
export interface PresenceMember {
  /** Who it is, as the option `session` names them. Everybody anonymous is one entry, the empty text. */
  readonly principal: string;
  /** How many connections of theirs are in the channel, on all nodes. 0 while they may still come back. */
  readonly connections: number;
}

/** Who is in a channel. */
export interface PresenceMembers {
  /** In no particular order; fewer than `count` where a limit has cut them off. */
  readonly members: readonly PresenceMember[];
  /** How many entries there are. */
  readonly count: number;
}

/** Somebody has come into a channel, or is not in it any more. */
export interface PresenceChange extends PresenceMember {
  readonly type: 'join' | 'leave';
  readonly channel: string;
}

/** What one node knows of one principal in one channel. */
export interface PresenceCount {
  readonly channel: string;
  readonly principal: string;
  /** How many connections of the principal this node has in the channel now; 0 for none any more. */
  readonly connections: number;
  /** The last one was lost and may come back: with 0 connections the entry stays for `graceMs`. */
  readonly isLost: boolean;
}

/** What the engine tells a store when it starts. */
export interface PresenceRules {
  /** Names this run of this node among all others. Has no blank. */
  readonly node: string;
  /** How long one whose last connection was lost stays in the channel, in milliseconds. */
  readonly graceMs: number;
  /** To be told of joins and leaves in the channels in which this node has somebody. */
  readonly changed: (change: PresenceChange) => void;
  /** To be told why the others do not hear of this node for the time being. */
  readonly failed: (error: unknown) => void;
}

/**
 * Port that knows who is in a channel, over all nodes.
 *
 * A node says how many connections of a principal it has, not what has changed: what got lost on the way
 * is made good by saying it again, which is the store's to do.
 *
 * Guarantees: an entry begins with the first connection of a principal on any node, told as `join`, and ends
 * with the last one, told as `leave`, after `graceMs` where that was lost; what happens between is not told.
 * A node that is told of a `join` is told of the `leave`, and each once. The entries of a node that has died, or
 * was closed, are those of connections that were lost. What `members` gives includes everything that this node
 * has been told before, and what it has set.
 */
export interface PresenceStore {
  /** Called once, before anything else. */
  start(rules: PresenceRules): Promise<void> | void;

  /** Takes effect in the order of the calls. Never throws: a store that is away makes up for it when it is back. */
  set(count: PresenceCount): void;

  /**
   * Who is in a channel. Rejects with `unavailable`, as a `ChannelsError`, when it cannot be had.
   *
   * @param limit - at most so many of them
   */
  members(channel: string, limit: number): Promise<PresenceMembers> | PresenceMembers;

  /** The node goes away. Waits for no grace. May be called twice. */
  close(): Promise<void> | void;

  /** How many entries its tables have that grow with what peers do, by name: for operators. */
  sizes?(): Readonly<Record<string, number>>;
}

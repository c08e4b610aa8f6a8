/** Names of keys and channels. Every key of a channel has its name as hash tag, so that all are on one node of a Cluster. */
export class Keys {
  readonly #channels: string;

  /** @param database - the number of the database that has the keys */
  constructor(
    private readonly prefix: string,
    database = 0,
  ) {
    this.#channels = channelPrefix(prefix, database);
  }

  /** Epoch and offset of a channel with history. */
  meta(channel: string): string {
    return `${this.prefix}:{${channel}}:meta`;
  }

  /** The publications of a channel with history. */
  stream(channel: string): string {
    return `${this.prefix}:{${channel}}:stream`;
  }

  /** The publication that was made under a key. */
  publication(channel: string, key: string): string {
    return `${this.prefix}:{${channel}}:key:${key}`;
  }

  /** The channel of Redis that wakes the nodes. */
  channel(channel: string): string {
    return `${this.#channels}:channel:${channel}`;
  }

  /** The name of the channel again. */
  channelOf(redisChannel: string): string {
    return redisChannel.slice(this.#channels.length + ':channel:'.length);
  }

  /** A message id of a client, by its hash: all about it. A tag of its own spreads them over a Cluster. */
  dedup(name: string): string {
    return `${this.prefix}:{dedup:${name}}`;
  }

  /** The points of a principal, by the hash of their name. */
  rate(name: string): string {
    return `${this.prefix}:{rate:${name}}`;
  }

  /** The channel of Redis that wakes those who wait for the end of its claim. */
  dedupChannel(name: string): string {
    return `${this.#channels}:dedup:${name}`;
  }

  /** Where nodes tell what others have not been told. */
  get missed(): string {
    return `${this.#channels}:missed`;
  }

  /** Which nodes are alive. A channel of the name `nodes` has its keys beside these, with other ends. */
  get leases(): string {
    return `${this.prefix}:{nodes}:leases`;
  }

  /** Which nodes have left in good order. */
  get left(): string {
    return `${this.prefix}:{nodes}:left`;
  }

  /** What the nodes say about their channels. */
  get registry(): string {
    return `${this.prefix}:{nodes}:registry`;
  }

  /** Who was revoked: by the ends, by the changes, and the times of each. */
  get revocations(): readonly string[] {
    return ['ends', 'changes', 'times'].map((part) => `${this.prefix}:{nodes}:revoked:${part}`);
  }

  /** The channel of Redis by which every node is asked. */
  get questions(): string {
    return `${this.#channels}:nodes:questions`;
  }

  /** The channel of Redis by which a node that has asked is answered. */
  answersTo(node: string): string {
    return `${this.#channels}:nodes:answers:${node}`;
  }
}

/**
 * How the names of channels of Redis begin. All databases of a server share its channels: the number keeps them apart.
 * No prefix has a brace, so that none of another application can be the same.
 */
export function channelPrefix(prefix: string, database: number): string {
  return database === 0 ? prefix : `${prefix}:{${database}}`;
}

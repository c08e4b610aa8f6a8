import { channelPrefix } from './keys.js';

/** Names of the keys and the channel of Redis that the presence of one channel has. */
export class PresenceKeys {
  readonly #channels: string;

  /** @param database - the number of the database that has the keys */
  constructor(
    private readonly prefix: string,
    database = 0,
  ) {
    this.#channels = channelPrefix(prefix, database);
  }

  /** The connections of each principal on each node, the nodes, and those who may come back. All in one place. */
  of(channel: string): readonly [entries: string, nodes: string, left: string] {
    const key = `${this.prefix}:{${channel}}:presence`;
    return [key, `${key}:nodes`, `${key}:left`];
  }

  /** Where the nodes of a channel are told who comes and goes. */
  channel(channel: string): string {
    return `${this.#channels}:presence:${channel}`;
  }
}

import { FIGURES_VERSION, type ChannelFigures, type NodeFigures } from '../figures.js';

/** Of three figures a node may be late with two. */
export const MISSING_AFTER_MS = 3_500;

/** A node that has gone for good is shown for so long. */
export const FORGOTTEN_AFTER_MS = 120_000;

/** More nodes than that are not told apart. */
export const MAX_NODES = 200;

/** A node as the page knows it. */
export interface NodeView {
  readonly node: string;
  /** The last that it has told; `undefined` where others only say that it does not answer. */
  readonly figures?: NodeFigures;
  /** Whether its figures have stopped. */
  readonly isMissing: boolean;
  readonly silentMs: number;
}

/** All nodes together, or the worst of them. */
export interface ClusterTotals {
  readonly nodes: number;
  readonly connections: number;
  readonly watchers: number;
  readonly subscriptions: number;
  readonly received: number;
  readonly sent: number;
  readonly bytesSent: number;
  readonly opened: number;
  readonly closed: number;
  readonly refused: number;
  /** Of the node where it is longest. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly loopDelayMs: number;
}

interface Heard {
  readonly figures: NodeFigures;
  readonly at: number;
}

/** What the nodes have told, and since when they are silent. */
export class Cluster {
  readonly #heard = new Map<string, Heard>();
  #connectedAt = 0;

  /** The page has its socket again: what nodes have told meanwhile could not reach it. */
  connected(now: number): void {
    this.#connectedAt = now;
  }

  hear(figures: NodeFigures, now: number): void {
    if (figures.v !== FIGURES_VERSION) return;
    // The newest is the last of them.
    this.#heard.delete(figures.node);
    this.#heard.set(figures.node, { figures, at: now });
    for (const [node, { at }] of this.#heard) {
      if (this.#heard.size <= MAX_NODES && now - at < FORGOTTEN_AFTER_MS) break;
      this.#heard.delete(node);
    }
  }

  /** Every node, by name. */
  nodes(now: number): readonly NodeView[] {
    const views = [...this.#heard].map(([node, { figures, at }]): NodeView => {
      const silentMs = now - Math.max(at, this.#connectedAt);
      return { node, figures, silentMs, isMissing: silentMs >= MISSING_AFTER_MS };
    });
    const present = views.filter(({ isMissing }) => !isMissing);
    const silent = new Set(present.flatMap(({ figures }) => figures?.missing ?? []));
    for (const { node } of views) silent.delete(node);
    const others = [...silent]
      .slice(0, MAX_NODES)
      .map((node) => ({ node, isMissing: true, silentMs: Infinity }));
    return [...views, ...others].toSorted((a, b) => a.node.localeCompare(b.node));
  }

  /** Of the nodes whose figures come; `undefined` where none does. */
  totals(now: number): ClusterTotals | undefined {
    const all = this.#present(now);
    if (all.length === 0) return undefined;
    const sum = (of: (figures: NodeFigures) => number): number =>
      all.reduce((total, figures) => total + of(figures), 0);
    const most = (of: (figures: NodeFigures) => number): number => Math.max(...all.map(of));
    return {
      nodes: all.length,
      connections: sum(({ connections }) => connections),
      watchers: sum(({ watchers }) => watchers),
      subscriptions: sum(({ subscriptions }) => subscriptions),
      received: sum(({ rates }) => rates.received),
      sent: sum(({ rates }) => rates.sent),
      bytesSent: sum(({ rates }) => rates.bytesSent),
      opened: sum(({ rates }) => rates.opened),
      closed: sum(({ rates }) => rates.closed),
      refused: sum(({ rates }) => rates.refused),
      p50Ms: most(({ handlers }) => handlers.p50Ms),
      p99Ms: most(({ handlers }) => handlers.p99Ms),
      loopDelayMs: most(({ loopDelayMs }) => loopDelayMs),
    };
  }

  /** The channels that nodes list, busiest first, and whether there are others. */
  channels(now: number): { readonly channels: readonly ChannelFigures[]; readonly more: boolean } {
    const all = this.#present(now);
    const byName = new Map<string, ChannelFigures>();
    for (const channel of all.flatMap(({ busiest }) => busiest)) {
      const known = byName.get(channel.name);
      byName.set(channel.name, known ? together(known, channel) : channel);
    }
    const channels = [...byName.values()].toSorted(
      (a, b) => b.publicationsPerSecond - a.publicationsPerSecond || b.subscribers - a.subscribers,
    );
    return { channels, more: all.some(({ moreChannels }) => moreChannels) };
  }

  #present(now: number): readonly NodeFigures[] {
    return this.nodes(now).flatMap(({ figures, isMissing }) => (figures && !isMissing ? [figures] : []));
  }
}

/** A publication reaches every node that has a subscriber: it is the same one. */
function together(a: ChannelFigures, b: ChannelFigures): ChannelFigures {
  return {
    name: a.name,
    subscribers: a.subscribers + b.subscribers,
    publicationsPerSecond: Math.max(a.publicationsPerSecond, b.publicationsPerSecond),
  };
}

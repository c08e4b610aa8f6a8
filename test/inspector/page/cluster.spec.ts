import { describe, expect, it } from 'vitest';
import type { ChannelFigures, NodeFigures } from '../../../lib/inspector/figures.js';
import {
  Cluster,
  FORGOTTEN_AFTER_MS,
  MAX_NODES,
  MISSING_AFTER_MS,
} from '../../../lib/inspector/page/cluster.js';

const NO_RATES = { received: 0, sent: 0, bytesReceived: 0, bytesSent: 0, opened: 0, closed: 0, refused: 0 };

function figures(node: string, told: Partial<NodeFigures> = {}): NodeFigures {
  return {
    v: 1,
    node,
    connections: 0,
    watchers: 0,
    channels: 0,
    subscriptions: 0,
    outboxBytes: 0,
    slowReaders: 0,
    rates: NO_RATES,
    handlers: { count: 0, p50Ms: 0, p99Ms: 0, maxMs: 0 },
    loopDelayMs: 0,
    broker: 'ready',
    busiest: [],
    moreChannels: false,
    missing: [],
    ...told,
  };
}

const channel = (name: string, subscribers: number, publicationsPerSecond: number): ChannelFigures => ({
  name,
  subscribers,
  publicationsPerSecond,
});

describe('Cluster', () => {
  it('knows nothing before the first figures', () => {
    const cluster = new Cluster();

    expect(cluster.nodes(0)).toEqual([]);
    expect(cluster.totals(0)).toBeUndefined();
    expect(cluster.channels(0)).toEqual({ channels: [], more: false });
  });

  it('adds up what happens on all nodes, and takes times from the slowest', () => {
    const cluster = new Cluster();
    cluster.hear(
      figures('a', {
        connections: 3,
        watchers: 1,
        rates: { ...NO_RATES, received: 10, opened: 1 },
        handlers: { count: 1, p50Ms: 1, p99Ms: 9, maxMs: 9 },
        loopDelayMs: 2,
      }),
      0,
    );
    cluster.hear(
      figures('b', {
        connections: 4,
        rates: { ...NO_RATES, received: 5, closed: 2 },
        handlers: { count: 1, p50Ms: 4, p99Ms: 5, maxMs: 5 },
        loopDelayMs: 1,
      }),
      0,
    );

    expect(cluster.totals(0)).toMatchObject({
      nodes: 2,
      connections: 7,
      watchers: 1,
      received: 15,
      opened: 1,
      closed: 2,
      p50Ms: 4,
      p99Ms: 9,
      loopDelayMs: 2,
    });
  });

  it('misses a node whose figures have stopped, and leaves it out of the sums', () => {
    const cluster = new Cluster();
    cluster.hear(figures('a', { connections: 1 }), 0);
    cluster.hear(figures('b', { connections: 2 }), 0);
    cluster.hear(figures('a', { connections: 1 }), MISSING_AFTER_MS - 1);

    const before = cluster.nodes(MISSING_AFTER_MS - 1).map(({ isMissing }) => isMissing);
    const after = cluster.nodes(MISSING_AFTER_MS);

    expect(before).toEqual([false, false]);
    expect(after).toMatchObject([
      { node: 'a', isMissing: false },
      { node: 'b', isMissing: true, silentMs: MISSING_AFTER_MS, figures: { connections: 2 } },
    ]);
    expect(cluster.totals(MISSING_AFTER_MS)?.connections).toBe(1);
  });

  it('has a node again whose figures are back', () => {
    const cluster = new Cluster();
    cluster.hear(figures('a'), 0);
    cluster.hear(figures('a'), 60_000);

    expect(cluster.nodes(60_000)).toMatchObject([{ isMissing: false, silentMs: 0 }]);
  });

  it('gives nodes time to be heard where the page itself was cut off', () => {
    const cluster = new Cluster();
    cluster.hear(figures('a'), 0);

    cluster.connected(60_000);

    expect(cluster.nodes(60_000)).toMatchObject([{ isMissing: false }]);
    expect(cluster.nodes(60_000 + MISSING_AFTER_MS)).toMatchObject([{ isMissing: true }]);
  });

  it('names nodes that have not answered others, as long as those are there', () => {
    const cluster = new Cluster();
    cluster.hear(figures('a', { missing: ['b', 'c'] }), 0);
    cluster.hear(figures('b'), 0);

    expect(cluster.nodes(0)).toMatchObject([
      { node: 'a', isMissing: false },
      { node: 'b', isMissing: false },
      { node: 'c', isMissing: true, silentMs: Infinity },
    ]);
    expect(cluster.nodes(MISSING_AFTER_MS).map(({ node }) => node)).toEqual(['a', 'b']);
  });

  it('forgets a node that has been silent for long', () => {
    const cluster = new Cluster();
    cluster.hear(figures('gone'), 0);

    cluster.hear(figures('a'), FORGOTTEN_AFTER_MS - 1);
    const before = cluster.nodes(FORGOTTEN_AFTER_MS - 1).map(({ node }) => node);
    cluster.hear(figures('a'), FORGOTTEN_AFTER_MS);

    expect(before).toEqual(['a', 'gone']);
    expect(cluster.nodes(FORGOTTEN_AFTER_MS).map(({ node }) => node)).toEqual(['a']);
  });

  it('keeps so many nodes, and forgets the one that was heard first above that', () => {
    const cluster = new Cluster();
    for (let node = 0; node < MAX_NODES; node++) cluster.hear(figures(`node-${node}`), 0);
    const atLimit = cluster.nodes(0);

    cluster.hear(figures('one-more'), 0);

    expect(atLimit).toHaveLength(MAX_NODES);
    expect(cluster.nodes(0)).toHaveLength(MAX_NODES);
    expect(cluster.nodes(0).map(({ node }) => node)).not.toContain('node-0');
  });

  it('leaves out what a node of another version says', () => {
    const cluster = new Cluster();

    cluster.hear({ ...figures('a'), v: 2 as 1 }, 0);

    expect(cluster.nodes(0)).toEqual([]);
  });

  it('takes a publication that reaches several nodes for one, and lists the busiest channels first', () => {
    const cluster = new Cluster();
    cluster.hear(figures('a', { busiest: [channel('x', 2, 5), channel('z', 9, 0)], moreChannels: true }), 0);
    cluster.hear(figures('b', { busiest: [channel('y', 1, 7), channel('x', 3, 4)] }), 0);

    expect(cluster.channels(0)).toEqual({
      channels: [channel('y', 1, 7), channel('x', 5, 5), channel('z', 9, 0)],
      more: true,
    });
  });
});

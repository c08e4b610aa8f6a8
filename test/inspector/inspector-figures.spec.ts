import { ChannelsError, type Broker, type ChannelsModuleOptions } from 'nestjs-channels';
import { TestClock, type ChannelsTestApp } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { Engine } from '../../lib/core/engine.js';
import type { NodeFigures } from '../../lib/inspector/figures.js';
import { Bus } from '../support/bus-broker.js';
import { NodesBus, type BusNodes } from '../support/bus-nodes.js';
import { RecordingObserver } from '../support/recording-observer.js';
import { CHANNEL, figuresOf, openInspector, startInspected } from './operators.js';

const SECOND = 1_000;
/** With `controlTimeoutMs` as it is by default. */
const LEASE_MS = 7_000;

/** Counts what a node publishes for inspectors. */
class Publications extends RecordingObserver {
  count = 0;

  published(channel: string): void {
    if (channel === CHANNEL) this.count += 1;
  }
}

interface Node {
  readonly app: ChannelsTestApp;
  readonly nodes: BusNodes;
  readonly observer: Publications;
}

/** Nodes that share a bus and a clock. */
async function startNodes(
  count: number,
  options: ChannelsModuleOptions = {},
): Promise<{ clock: TestClock; nodes: Node[] }> {
  const [bus, nodesBus, clock] = [new Bus(), new NodesBus(), new TestClock()];
  const nodes: Node[] = [];
  for (let made = 0; made < count; made++) {
    const observer = new Publications();
    const node = nodesBus.node();
    const broker: Broker = Object.assign(bus.node(), { nodes: node });
    const app = await startInspected({ clock, channels: { ...options, broker, observers: [observer] } });
    nodes.push({ app, nodes: node, observer });
  }
  return { clock, nodes };
}

const isMeasuring = (app: ChannelsTestApp): boolean => app.nest.get(Engine).observers.measuresHandlers;

describe('the figures of a node', () => {
  it('come every second while somebody looks', async () => {
    const clock = new TestClock();
    const app = await startInspected({ clock });
    const peer = await app.connect('/ws?user=ada');
    await peer.subscribe('chat:1');
    const page = await openInspector(app);
    await page.subscribe(CHANNEL);
    await clock.advance(SECOND);

    for (const n of [1, 2, 3, 4]) await peer.request('echo', n);
    for (const n of [1, 2]) await app.channels.publish('chat:1', 'said', n);
    await app.connect('/ws');
    await clock.advance(SECOND);
    const first = await figuresOf(page);
    await clock.advance(SECOND);
    const second = await figuresOf(page);

    expect(first).toMatchObject({
      v: 1,
      connections: 3,
      watchers: 1,
      channels: 2,
      subscriptions: 2,
      broker: 'ready',
      missing: [],
      rates: { received: 4, sent: 6, opened: 1, closed: 0, refused: 0 },
      handlers: { count: 4 },
      busiest: [
        { name: 'chat:1', subscribers: 1, publicationsPerSecond: 2 },
        { name: CHANNEL, subscribers: 1, publicationsPerSecond: 0 },
      ],
      moreChannels: false,
    });
    expect(first.rates.bytesReceived).toBeGreaterThan(0);
    expect(first.rates.bytesSent).toBeGreaterThan(0);
    // The frame of the first figures is all that there was.
    expect(second.rates).toMatchObject({ received: 0, sent: 1, opened: 0 });
    expect(second.handlers).toEqual({ count: 0, p50Ms: 0, p99Ms: 0, maxMs: 0 });
  });

  it('count what connections have sent and got that are gone', async () => {
    const clock = new TestClock();
    const observer = new RecordingObserver();
    const app = await startInspected({ clock, channels: { observers: [observer] } });
    const page = await openInspector(app);
    await page.subscribe(CHANNEL);
    await clock.advance(SECOND);
    const peer = await app.connect('/ws');

    await peer.request('echo', 1);
    await peer.close();
    await observer.until(({ closes }) => closes.length === 1);
    await expect(app.connect('/nowhere', { protocols: [] })).rejects.toThrow('404');
    await clock.advance(SECOND);

    const { rates } = await figuresOf(page);
    expect(rates).toMatchObject({ received: 1, sent: 1, opened: 1, closed: 1, refused: 1 });
  });

  it('are neither measured nor published while nobody looks', async () => {
    const { clock, nodes } = await startNodes(1);
    const [{ app, observer }] = nodes as [Node];
    const before = isMeasuring(app);
    await clock.advance(3 * SECOND);
    const untold = observer.count;
    const page = await openInspector(app);
    await page.subscribe(CHANNEL);
    await clock.advance(2 * SECOND);
    const meanwhile = isMeasuring(app);
    const told = observer.count;
    await page.close();
    await observer.until(({ closes }) => closes.length === 1);

    await clock.advance(2 * SECOND);

    expect([before, meanwhile, isMeasuring(app)]).toEqual([false, true, false]);
    expect([untold, told, observer.count]).toEqual([0, 1, 1]);
  });

  it('reach the pages of the node itself while it cannot publish them', async () => {
    const clock = new TestClock();
    const broker = new Bus().node();
    const app = await startInspected({ clock, channels: { broker } });
    const page = await openInspector(app);
    await page.subscribe(CHANNEL);
    await clock.advance(SECOND);

    broker.publish = () => Promise.reject(new ChannelsError('unavailable', 'the broker is away'));
    app.nest.get(Engine).observers.brokerChanged('away', 'a test');
    await clock.advance(SECOND);

    const frame = await page.waitFor({ event: 'inspector.figures' });
    expect(frame).toMatchObject({ data: { broker: 'away', connections: 1 } });
    expect(frame).not.toHaveProperty('channel');
  });

  it('report what fails for another reason than a broker that is away', async () => {
    const clock = new TestClock();
    const broker = new Bus().node();
    const observer = new RecordingObserver();
    const app = await startInspected({ clock, channels: { broker, observers: [observer] } });
    const page = await openInspector(app);
    await page.subscribe(CHANNEL);
    await clock.advance(SECOND);

    broker.publish = () => Promise.reject(new TypeError('broken'));
    await clock.advance(SECOND);
    await page.waitFor({ event: 'inspector.figures' });

    expect(observer.failures).toMatchObject([
      { where: 'the figures of the inspector', error: { message: 'broken' } },
    ]);
  });
});

describe('the figures of several nodes', () => {
  it('reach a page at any of them', async () => {
    const { clock, nodes } = await startNodes(3);
    const [one, two, three] = nodes as [Node, Node, Node];
    await two.app.connect('/ws');
    const page = await openInspector(one.app);
    await page.subscribe(CHANNEL);
    await clock.advance(3 * SECOND);

    const told = await Promise.all(
      [one, two, three].map(({ nodes: { id } }) => figuresOf(page, ({ node }) => node === id)),
    );

    expect(told.map(({ connections, watchers }) => [connections, watchers])).toEqual([
      [1, 1],
      [1, 0],
      [0, 0],
    ]);
  });

  it('go on as long as the page is there, and end by themselves behind it', async () => {
    const { clock, nodes } = await startNodes(2);
    const [one, two] = nodes as [Node, Node];
    const page = await openInspector(one.app);
    await page.subscribe(CHANNEL);
    await clock.advance(3 * LEASE_MS);
    const told = two.observer.count;
    const meanwhile = isMeasuring(two.app);

    await page.close();
    await one.observer.until(({ closes }) => closes.length === 1);
    await clock.advance(LEASE_MS + SECOND);
    const atLast = two.observer.count;
    await clock.advance(LEASE_MS);

    expect(told).toBeGreaterThan(15);
    expect([meanwhile, isMeasuring(two.app)]).toEqual([true, false]);
    expect(two.observer.count).toBe(atLast);
  });

  // No other question goes out while one waits: a lease shorter than the wait ended before the next one.
  it('go on without a break while a node is silent that is waited for longer than figures last', async () => {
    const { clock, nodes } = await startNodes(3, { controlTimeoutMs: 10 * SECOND });
    const [one, two, silent] = nodes as [Node, Node, Node];
    silent.nodes.isFrozen = true;
    const page = await openInspector(one.app);
    await page.subscribe(CHANNEL);
    await clock.advance(2 * SECOND);
    const told: number[] = [];

    for (let second = 0; second < 25; second++) {
      const before = two.observer.count;
      await clock.advance(SECOND);
      told.push(two.observer.count - before);
    }

    expect(told).toEqual(told.map(() => 1));
  });

  it('name a node that does not answer', async () => {
    const { clock, nodes } = await startNodes(2);
    const [one, two] = nodes as [Node, Node];
    two.nodes.isFrozen = true;
    const page = await openInspector(one.app);
    await page.subscribe(CHANNEL);

    await clock.advance(4 * SECOND);

    const isNamed = ({ missing }: NodeFigures): boolean => missing.includes(two.nodes.id);
    expect(await figuresOf(page, isNamed)).toMatchObject({ node: one.nodes.id });
  });
});

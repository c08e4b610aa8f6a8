import { describe, expect, it } from 'vitest';
import { defineChannel } from '../../lib/core/channel-definition.js';
import { contradictions } from '../../lib/core/contradictions.js';
import { Bus } from '../support/bus-broker.js';
import { Deferred } from '../support/deferred.js';
import { RegistryBus } from '../support/bus-registry.js';
import { Rig, say, settled, type Peer } from './engine-rig.js';

const KEPT = { size: 10, ttlMs: 60_000 };

interface Node {
  readonly rig: Rig;
  readonly warnings: string[];
}

/** Nodes of one application, of which the old ones know of no history. */
class Deploy {
  readonly #bus = new Bus();
  readonly #registries = new RegistryBus();
  /** What the method of a join waits for. */
  letIn: Promise<void> = Promise.resolve();

  async node(history?: object): Promise<Node> {
    const warnings: string[] = [];
    const rig = await Rig.start({
      broker: Object.assign(this.#bus.node(), { registry: this.#registries.registry() }),
      observers: [{ warned: (text) => warnings.push(text) }],
      channels: {
        'news:{topic}': { subscribe: { event: '$subscribe', acked: true, handle: () => this.letIn } },
      },
    });
    rig.engine.catalog.add(defineChannel('news:{topic}', { history }), 'a test');
    await rig.engine.register();
    return { rig, warnings };
  }

  set isRegistryAway(isAway: boolean) {
    this.#registries.isAway = isAway;
  }
}

async function publish({ rig }: Node, channel: string, ...data: number[]): Promise<void> {
  for (const one of data) await rig.engine.publisher.publish(channel, 'said', one, {});
  await settled();
}

async function reader({ rig }: Node, channel: string): Promise<Peer> {
  const peer = rig.open();
  say(peer, { event: '$subscribe', id: 1, data: { channel } });
  await settled();
  return peer;
}

/** What is told within a second. */
async function toldTo({ transport }: Peer, { rig }: Node): Promise<object[]> {
  await rig.clock.advance(1_000);
  await settled();
  return transport.frames.map((text) => JSON.parse(text) as object).filter((frame) => !('ack' in frame));
}

describe('nodes that disagree about a history', () => {
  // It used to be dropped, and nobody was told.
  it('tell by a gap what came from a node that knows of none, once for all of a second', async () => {
    const deploy = new Deploy();
    const [fresh, old] = [await deploy.node(KEPT), await deploy.node()];
    const peer = await reader(fresh, 'news:a');

    await publish(fresh, 'news:a', 1);
    await publish(old, 'news:a', 2, 3);
    const told = await toldTo(peer, fresh);
    await publish(fresh, 'news:a', 4);

    const epoch = expect.any(String) as string;
    const gap = { event: '$gap', data: { channel: 'news:a', epoch, offset: 1 } };
    expect(told).toEqual([{ channel: 'news:a', event: 'said', data: 1, offset: 1 }, gap]);
    expect(await toldTo(peer, fresh)).toEqual([
      ...told,
      { channel: 'news:a', event: 'said', data: 4, offset: 2 },
    ]);
  });

  it('tell it behind the ack to who was joining when it came', async () => {
    const deploy = new Deploy();
    const [fresh, old] = [await deploy.node(KEPT), await deploy.node()];
    const method = new Deferred();
    deploy.letIn = method.promise;
    const peer = await reader(fresh, 'news:a');

    await publish(old, 'news:a', 1);
    const before = await toldTo(peer, fresh);
    method.resolve();
    await settled();
    const events = peer.transport.frames.map(
      (text) => (JSON.parse(text) as { event?: string }).event ?? 'ack',
    );

    expect(before).toEqual([]);
    expect(events).toEqual(['ack', '$gap']);
  });

  it('tell the operator once for each channel, and not once for each publication', async () => {
    const deploy = new Deploy();
    const fresh = await deploy.node(KEPT);
    const old = await deploy.node();
    for (const channel of ['news:a', 'news:b', 'news:c']) await reader(fresh, channel);

    await publish(old, 'news:a', 1, 2);
    await fresh.rig.clock.advance(1_000);
    await publish(old, 'news:a', 3);
    await fresh.rig.clock.advance(1_000);
    await publish(old, 'news:b', 1);
    await publish(old, 'news:c', 1);
    await fresh.rig.clock.advance(1_000);

    expect(fresh.warnings).toEqual([
      expect.stringContaining(
        '"news:a" has a history here, and is published to by somebody who knows of none:',
      ),
      expect.stringContaining(
        '"news:b" has a history here, and is published to by somebody who knows of none, and so for 1 more:',
      ),
    ]);
  });

  it('deliver what has an offset where none is known of', async () => {
    const deploy = new Deploy();
    const [fresh, old] = [await deploy.node(KEPT), await deploy.node()];
    const peer = await reader(old, 'news:a');

    await publish(fresh, 'news:a', 1, 2);

    expect(await toldTo(peer, old)).toEqual(
      [1, 2].map((at) => ({ channel: 'news:a', event: 'said', data: at, offset: at })),
    );
    // Its own start has said that there are two opinions.
    expect(old.warnings).toHaveLength(1);
  });

  it('are told of at the start of the second', async () => {
    const deploy = new Deploy();
    const old = await deploy.node();
    const fresh = await deploy.node(KEPT);
    const same = await deploy.node(KEPT);

    expect(old.warnings).toEqual([]);
    expect([...fresh.warnings, ...same.warnings]).toEqual(
      [1, 2].map(() =>
        expect.stringMatching(/^"news:{topic}" has a history of 10 .* but no history at other/),
      ),
    );
  });

  it('start also where the others cannot be asked', async () => {
    const deploy = new Deploy();
    await deploy.node();
    deploy.isRegistryAway = true;

    const { rig, warnings } = await deploy.node(KEPT);

    expect(warnings).toEqual([]);
    expect(rig.journal.failures).toEqual(['the comparison with the channels of other nodes']);
  });
});

describe('contradictions', () => {
  const ROOMS = { pattern: 'chat:{room}', history: KEPT };

  it.each([
    ['nobody says anything', [], 0],
    ['the others say the same', [[{ pattern: 'chat:{name}', history: { ...KEPT } }]], 0],
    ['they speak of other channels', [[{ pattern: 'chat' }, { pattern: 'news:{topic}' }]], 0],
    ['one of them keeps less', [[{ pattern: 'chat:{room}', history: { ...KEPT, size: 5 } }]], 1],
    ['one of them keeps nothing', [[{ pattern: 'chat:{p0}' }], [ROOMS]], 1],
    ['one of them keeps nothing of some', [[{ pattern: 'chat:lobby' }, ROOMS]], 1],
    ['one of them keeps the same of some', [[{ pattern: 'chat:lobby', history: KEPT }, ROOMS]], 0],
    ['all that is kept of some differs', [[{ pattern: 'chat:lobby' }, { pattern: 'chat:{p0}' }]], 2],
  ])('where %s', (_what, registered, count) => {
    expect(contradictions([ROOMS], registered)).toHaveLength(count);
  });

  it('are those of a channel that the others have under a pattern that fits worse', () => {
    const own = [{ pattern: 'chat:lobby', history: KEPT }, { pattern: 'chat:{room}' }];

    expect(contradictions(own, [[{ pattern: 'chat:{p0}' }], own])).toEqual([
      expect.stringMatching(/^"chat:lobby" has a history of 10 .* but no history at other nodes/),
    ]);
  });
});

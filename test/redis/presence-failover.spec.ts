import { describe, expect, it, vi } from 'vitest';
import { PresenceKeys } from '../../lib/redis/presence-keys.js';
import { CHANNEL, PresenceNode } from '../contract/presence-bench.js';
import { eventually } from '../support/redis/eventually.js';
import { allReplicated, cutReplicas } from '../support/redis/replicas.js';
import { FAILOVER_RIGS } from './failover-rigs.js';
import { GRACE_MS, redisPresence } from './presence-nodes.js';

vi.setConfig({ testTimeout: 120_000 });

/** As an application has it: shorter, and the nodes come back to the new master too far apart. */
const TIMES = { leaseMs: 10_000, sweepMs: 2_000 };

describe.each(FAILOVER_RIGS)('presence over a failover of %s', (_name, start) => {
  /**
   * Ada and Zoe on the second node; Bob and Eve come to the first, of whom only the master hears before it dies; Ada
   * goes while there is none.
   *
   * @param isFrozen - the first node does nothing by itself any more
   */
  async function failedOver(isFrozen: boolean) {
    const rig = await start();
    const { nodes, prefix, faults } = await redisPresence(rig.connection, TIMES);
    const [one, two] = nodes.map((store) => new PresenceNode(store)) as [PresenceNode, PresenceNode];
    for (const node of [one, two]) await node.start(GRACE_MS);
    two.has('ada');
    two.has('zoe');
    await two.told();
    const [key] = new PresenceKeys(prefix).of(CHANNEL);
    await allReplicated(rig.servers);
    const goOn = await cutReplicas(rig.servers);
    one.has('bob');
    one.has('eve');
    await eventually('eve was told', async () => two.toldBefore().includes('join eve 1'));
    faults.isFrozen = isFrozen;
    const old = await rig.kill(key);
    two.has('ada', 0);
    goOn();
    await rig.replaced(key, old);
    return { one, two };
  }

  async function lists(node: PresenceNode, who: readonly string[]): Promise<void> {
    const isExact = async (): Promise<boolean> =>
      Object.keys(await node.members())
        .toSorted()
        .join() === who.join();
    await eventually(`${who.join()} are listed, and nobody else`, isExact, TIMES.leaseMs);
  }

  it('is exact again within the lease, and each is told once', async () => {
    const { one, two } = await failedOver(false);

    for (const node of [one, two]) {
      await lists(node, ['bob', 'eve', 'zoe']);
      await eventually('all was told', async () => node.toldBefore().includes('leave ada 0'));
    }

    const told = ['join bob 1', 'join eve 1', 'leave ada 0'];
    expect((await one.told()).toSorted()).toEqual(told);
    expect((await two.told()).toSorted()).toEqual(['join ada 1', ...told, 'join zoe 1'].toSorted());
  });

  // The negative control: whom the new master lacks stays lost where nobody tells it again.
  it('lacks those whose node does nothing', async () => {
    const { two } = await failedOver(true);

    await eventually('bob was told to have left', async () => two.toldBefore().includes('leave bob 0'));

    await lists(two, ['zoe']);
    expect(two.toldBefore()).toContain('leave eve 0');
  });
});

import { describe, expect, it } from 'vitest';
import { startPresence, type PresenceKind } from './presence-bench.js';

/** Everybody who is on a node that is deployed anew. */
const USERS = Array.from({ length: 50 }, (_, at) => `user-${at}`);

/** What a `PresenceStore` promises that more than one node can share. */
export function presenceNodesContract(name: string, kind: PresenceKind): void {
  const { graceMs, leaseMs } = kind;
  const start = (grace?: number) => startPresence(kind, grace);

  /** Bob is on the other node, and Ada is lost on this one. */
  const startAndLose = async () => {
    const bench = await start();
    bench.other.has('bob');
    await bench.other.told();
    bench.node.has('ada');
    await bench.node.told();
    bench.node.loses('ada');
    await bench.node.told();
    return bench;
  };

  describe(`${name} as a presence store of two nodes`, () => {
    it('tells both of one who comes and goes', async () => {
      const { node, other } = await start();
      other.has('bob');
      await other.told();

      node.has('ada');
      await node.told();
      node.has('ada', 0);

      expect(await node.told()).toEqual(['join ada 1', 'leave ada 0']);
      expect(await other.told()).toEqual(['join bob 1', 'join ada 1', 'leave ada 0']);
    });

    it('adds up the connections of all nodes, and tells the first and the last', async () => {
      const { node, other } = await start();

      node.has('ada', 2);
      await node.told();
      other.has('ada', 1);
      await other.told();
      const three = await node.members();
      node.has('ada', 0);
      const toldMeanwhile = await node.told();
      other.has('ada', 0);
      await other.told();

      expect(three).toEqual({ ada: 3 });
      expect(toldMeanwhile).toEqual(['join ada 2']);
      expect(await node.members()).toEqual({});
    });

    it('tells nothing of one who is back on another node within the grace', async () => {
      const { other, bench } = await startAndLose();
      other.has('ada');
      await bench.pass(2 * graceMs);

      expect(await other.members()).toEqual({ bob: 1, ada: 1 });
      expect(await other.told()).toEqual(['join bob 1', 'join ada 1']);
    });

    it('lists one who is lost on one node for the others, until the grace is over', async () => {
      const { other, bench } = await startAndLose();
      const within = await other.members();
      await bench.pass(graceMs);
      for (let told = ''; told !== 'leave ada';) told = await other.next();

      expect(within).toEqual({ bob: 1, ada: 0 });
      expect(await other.members()).toEqual({ bob: 1 });
    });

    it('tells nothing of a node that is deployed anew, however many were on it', async () => {
      const { node, other, bench } = await start();
      other.has('bob');
      await other.told();
      for (const user of USERS) node.has(user);
      await node.told();
      const before = await other.told();

      for (const user of USERS) node.loses(user);
      await node.store.close();
      for (const user of USERS) other.has(user);
      await bench.pass(2 * graceMs);

      expect(before).toHaveLength(1 + USERS.length);
      expect(await other.told()).toEqual(before);
      expect(Object.keys(await other.members())).toHaveLength(1 + USERS.length);
    });

    // The negative control of the test above.
    it('tells each leave and each join of such a deploy without a grace', async () => {
      const { node, other } = await start(0);
      other.has('bob');
      await other.told();
      for (const user of USERS) node.has(user);
      await node.told();
      const before = await other.told();

      for (const user of USERS) node.loses(user);
      await node.store.close();
      for (const user of USERS) other.has(user);

      expect(await other.told()).toHaveLength(before.length + 2 * USERS.length);
    });

    it('tells those who do not come back from a node that was closed, after the grace', async () => {
      const { node, other, bench } = await start();
      other.has('bob');
      await other.told();
      node.has('ada');
      node.has('eve');
      await node.told();
      await other.told();

      // Nobody has told of the end of their connections.
      await node.store.close();
      other.has('eve');
      const within = await other.members();
      await bench.pass(graceMs);
      for (let told = ''; told !== 'leave ada';) told = await other.next();

      expect(within).toEqual({ bob: 1, ada: 0, eve: 1 });
      expect(await other.members()).toEqual({ bob: 1, eve: 1 });
    });

    it('is exact again after the death of a node, within its lease', async () => {
      const { node, other, bench } = await start();
      other.has('bob');
      await other.told();
      node.has('bob', 2);
      node.has('ada');
      node.has('eve');
      await node.told();
      const before = await other.members();

      await bench.kill?.(node.store);
      other.has('eve');
      const toldBefore = await other.told();
      await bench.pass(leaseMs);
      const after = await other.members();
      for (let told = ''; told !== 'leave ada';) told = await other.next();

      expect(before).toEqual({ bob: 3, ada: 1, eve: 1 });
      expect(toldBefore).toEqual(['join bob 1', 'join ada 1', 'join eve 1']);
      expect(after).toEqual({ bob: 1, ada: 0, eve: 1 });
      expect(await other.members()).toEqual({ bob: 1, eve: 1 });
      expect(await other.told()).toEqual([...toldBefore, 'leave ada 0']);
    });

    // The grace began with the last sign of life of the node: it was over when the lease was.
    it('gives those of a dead node the whole grace, from the end of its lease', async () => {
      const { node, other, bench } = await start(leaseMs);
      other.has('bob');
      await other.told();
      node.has('ada');
      node.has('eve');
      await node.told();
      const before = await other.told();

      await bench.kill?.(node.store);
      await bench.pass(1.5 * leaseMs);
      const within = await other.members();
      other.has('ada');
      for (let told = ''; told !== 'leave eve';) told = await other.next();

      expect(within).toEqual({ bob: 1, ada: 0, eve: 0 });
      expect(await other.members()).toEqual({ bob: 1, ada: 1 });
      expect(await other.told()).toEqual([...before, 'leave eve 0']);
    });
  });
}

import { describe, expect, it } from 'vitest';
import { CHANNEL, OTHER, startPresence, type PresenceKind } from './presence-bench.js';
import { presenceNodesContract } from './presence-nodes.contract.js';

const NASTY: readonly (readonly [what: string, principal: string])[] = [
  ['nothing: everybody anonymous', ''],
  ['a blank', ' a b '],
  ['line breaks and NUL', 'one\ntwo\r\nthree\0\u2028'],
  ['quotes and backslashes', '"\\"\\n{}[]'],
  ['an astral character', '\u{1f600}'],
  ['half of an astral character', '\ud83d'],
  ['a name that objects inherit', '__proto__'],
  ['1,000 characters', '\u00e9'.repeat(1_000)],
];

/** What every `PresenceStore` promises (lib/core/presence-store.interface.ts). */
export function presenceStoreContract(name: string, kind: PresenceKind): void {
  const start = (graceMs?: number) => startPresence(kind, graceMs);

  describe(`${name} as a presence store`, () => {
    it('tells one who comes and goes, and lists who is there', async () => {
      const { node } = await start();

      node.has('ada');
      const there = await node.members();
      node.has('ada', 0);

      expect(there).toEqual({ ada: 1 });
      expect(await node.members()).toEqual({});
      expect(await node.told()).toEqual(['join ada 1', 'leave ada 0']);
    });

    it('has one entry for all connections of a principal, and tells the first and the last', async () => {
      const { node } = await start();

      node.has('ada', 1);
      node.has('ada', 2);
      const two = await node.members();
      node.has('ada', 1);
      const one = await node.members();
      node.has('ada', 0);

      expect([two, one]).toEqual([{ ada: 2 }, { ada: 1 }]);
      expect(await node.told()).toEqual(['join ada 1', 'leave ada 0']);
    });

    it('keeps one whose connection was lost for the grace, and tells the leave then', async () => {
      const { node, bench } = await start();
      node.has('bob');
      node.has('ada');
      node.loses('ada');

      const before = await node.members();
      const toldBefore = await node.told();
      await bench.pass(kind.graceMs);
      for (let told = ''; told !== 'leave ada';) told = await node.next();

      expect(before).toEqual({ bob: 1, ada: 0 });
      expect(toldBefore).toEqual(['join bob 1', 'join ada 1']);
      expect(await node.members()).toEqual({ bob: 1 });
    });

    it('tells nothing of one who is back within the grace', async () => {
      const { node, bench } = await start();
      node.has('ada');

      node.loses('ada');
      node.has('ada');
      await bench.pass(2 * kind.graceMs);

      expect(await node.members()).toEqual({ ada: 1 });
      expect(await node.told()).toEqual(['join ada 1']);
    });

    it('tells the leave of one who was lost, has come back, and leaves, at once and once', async () => {
      const { node, bench } = await start();
      node.has('ada');
      node.loses('ada');
      node.has('ada');

      node.has('ada', 0);
      const told = await node.told();
      await bench.pass(2 * kind.graceMs);

      expect(told).toEqual(['join ada 1', 'leave ada 0']);
      expect(await node.told()).toEqual(told);
    });

    it('goes by the last connection: one that is lost while others stay changes the number alone', async () => {
      const { node } = await start();
      node.has('ada', 2);

      node.loses('ada', 1);
      node.has('ada', 0);

      expect(await node.members()).toEqual({});
      expect(await node.told()).toEqual(['join ada 2', 'leave ada 0']);
    });

    it('tells a loss at once without a grace', async () => {
      const { node } = await start(0);
      node.has('ada');

      node.loses('ada');
      node.has('ada');

      expect(await node.told()).toEqual(['join ada 1', 'leave ada 0', 'join ada 1']);
    });

    it.each(NASTY)('takes a principal with %s', async (_what, principal) => {
      const { node } = await start();

      node.has(principal, 3);
      const { members } = await node.store.members(CHANNEL, 10);
      node.has(principal, 0);

      expect(members).toEqual([{ principal, connections: 3 }]);
      expect(await node.told()).toEqual([`join ${principal} 3`, `leave ${principal} 0`]);
    });

    it('keeps channels apart', async () => {
      const { node } = await start();

      node.has('ada');
      node.has('bob', 1, OTHER);

      expect([await node.members(), await node.members(OTHER)]).toEqual([{ ada: 1 }, { bob: 1 }]);
      expect([await node.told(), await node.told(OTHER)]).toEqual([['join ada 1'], ['join bob 1']]);
    });

    it('gives no more entries than are asked for, and how many there are', async () => {
      const { node } = await start();
      for (let at = 0; at < 5; at++) node.has(`user-${at}`);
      node.loses('user-0');

      const all = await node.store.members(CHANNEL, 5);
      const some = await node.store.members(CHANNEL, 4);

      expect([all.members.length, all.count]).toEqual([5, 5]);
      expect([some.members.length, some.count]).toEqual([4, 5]);
    });

    it('says that nobody is in a channel of which it has never heard', async () => {
      const { node } = await start();

      expect(await node.store.members('never', 10)).toEqual({ members: [], count: 0 });
    });

    it('takes many changes of one turn in their order', async () => {
      const { node } = await start();
      const users = Array.from({ length: 1_200 }, (_, at) => `user-${at}`);

      for (const user of users) node.has(user);
      for (const user of users) node.has(user, 2);
      const { count, members } = await node.store.members(CHANNEL, 10_000);
      for (const user of users) node.has(user, 0);

      expect([count, members.every(({ connections }) => connections === 2)]).toEqual([1_200, true]);
      expect(await node.told()).toHaveLength(2_400);
      expect(await node.members()).toEqual({});
    });

    it('may be closed twice, and tells nothing afterwards', async () => {
      const { node, bench } = await start();
      node.has('ada');
      const told = await node.told();
      node.loses('ada');

      await node.store.close();
      await node.store.close();
      await bench.pass(2 * kind.graceMs);

      expect(told).toEqual(['join ada 1']);
      expect(node.failures).toEqual([]);
    });
  });

  if (kind.nodes === 2) presenceNodesContract(name, kind);
}

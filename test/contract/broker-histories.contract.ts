import type { HistoryPage, HistoryQuery, HistoryRule, Position } from 'nestjs-channels';
import { describe, expect, it } from 'vitest';
import { CHANNEL, OTHER, startNodes, take, type BrokerKind, type Node } from './broker-bench.js';

/** What a publication of {@link publish} counts against `maxBytes`. */
const BYTES_OF_ONE = Buffer.byteLength('"n"') + Buffer.byteLength('0') + 45;

/** What every `Broker` promises of channels with history (lib/core/broker.interface.ts). */
export function brokerHistoriesContract(name: string, kind: BrokerKind): void {
  const rule = { size: 3, ttlMs: kind.ttlMs ?? 60_000 };
  /** How exact the time of a history has to be. */
  const slackMs = Math.min(1_000, rule.ttlMs / 4);
  const start = () => startNodes(name, kind);
  const { publish, publishMany, read, offsets } = using(rule);

  describe(`the histories of ${name}`, () => {
    it('stand at 0 before the first publication, and keep their epoch while a node is in the channel', async () => {
      const [publisher, node, pass] = await start();
      await node.broker.subscribe(CHANNEL);

      const before = await node.broker.position(CHANNEL, rule);
      const first = await publish(publisher);
      await pass(3 * rule.ttlMs);
      const second = await publish(publisher);

      const { epoch } = before;
      expect(before).toEqual({ epoch: expect.stringMatching(/./) as string, offset: 0 });
      expect([first, second]).toEqual([
        { epoch, offset: 1 },
        { epoch, offset: 2 },
      ]);
    });

    it('give each publication the next offset, with which it reaches the sinks', async () => {
      const [publisher, node] = await start();
      await node.broker.subscribe(CHANNEL);

      const positions = await publishMany(publisher, 5);

      const { epoch } = await node.broker.position(CHANNEL, rule);
      expect(positions).toEqual([1, 2, 3, 4, 5].map((offset) => ({ epoch, offset })));
      expect((await take(node, 5)).map(({ position }) => position)).toEqual(positions);
    });

    it('count each channel by itself', async () => {
      const [publisher, node] = await start();

      await publishMany(publisher, 2);
      await publisher.broker.publish({ channel: OTHER, event: 'n' }, { history: rule });

      expect(await offsets(node)).toEqual([1, 2]);
      expect((await node.broker.position(OTHER, rule)).offset).toBe(1);
    });

    it('keep publications as they were published', async () => {
      const [publisher, node] = await start();
      const publication = { channel: CHANNEL, event: 'a "b"\n', data: JSON.stringify('\u{1f600}\0') };

      const position = await publisher.broker.publish(publication, { history: rule });

      const { publications } = await read(node);
      expect(publications).toEqual([{ ...publication, position }]);
    });

    it('keep as many as their size, and drop the oldest of one more', async () => {
      const [publisher, node] = await start();

      await publishMany(publisher, rule.size);
      const full = [await offsets(node), (await read(node)).oldest];
      await publish(publisher);

      expect(full).toEqual([[1, 2, 3], 1]);
      expect(await offsets(node)).toEqual([2, 3, 4]);
      expect(await read(node)).toMatchObject({ oldest: 2, position: { offset: 4 } });
    });

    it('keep each publication for its time, and no longer', async () => {
      const [publisher, node, pass] = await start();
      await node.broker.subscribe(CHANNEL);
      await publish(publisher);
      await pass(rule.ttlMs / 2);
      await publish(publisher);

      await pass(rule.ttlMs / 2 - slackMs);
      const within = await offsets(node);
      await pass(2 * slackMs);
      const after = await read(node);
      await pass(rule.ttlMs);

      expect(within).toEqual([1, 2]);
      expect(after).toMatchObject({ oldest: 2, position: { offset: 2 }, publications: [{}] });
      expect(await read(node)).toMatchObject({ oldest: 3, position: { offset: 2 }, publications: [] });
    });

    it('publish once under a key, while the first is kept', async () => {
      const [publisher, node] = await start();
      await node.broker.subscribe(CHANNEL);

      const first = await publish(publisher, { key: 'k', data: '1' });
      const other = await publish(publisher, { key: 'other', data: '2' });
      const second = await publish(publisher, { key: 'k', data: '3' });
      const fence = await publish(publisher, { data: '4' });

      expect([second, other.offset, fence.offset]).toEqual([first, 2, 3]);
      expect((await take(node, 3)).map(({ data }) => data)).toEqual(['1', '2', '4']);
      expect(await offsets(node)).toEqual([1, 2, 3]);
    });

    it('publish once under a key, also without waiting', async () => {
      const [one, other] = await start();

      const positions = await Promise.all([one, other, one].map((node) => publish(node, { key: 'k' })));

      expect(positions.map(({ offset }) => offset)).toEqual([1, 1, 1]);
      expect(await offsets(one)).toEqual([1]);
    });

    it('let a key go with its publication: pushed out by newer ones', async () => {
      const [publisher] = await start();
      await publish(publisher, { key: 'k' });

      await publishMany(publisher, rule.size - 1);
      const kept = await publish(publisher, { key: 'k' });
      await publish(publisher);
      const free = await publish(publisher, { key: 'k' });

      expect([kept.offset, free.offset]).toEqual([1, rule.size + 2]);
    });

    it('let a key go with its publication: too old', async () => {
      const [publisher, node, pass] = await start();
      await node.broker.subscribe(CHANNEL);
      const first = await publish(publisher, { key: 'k' });

      await pass(rule.ttlMs + slackMs);

      expect(await publish(publisher, { key: 'k' })).toEqual({ ...first, offset: 2 });
    });

    it.each<[Partial<HistoryQuery>, number[]]>([
      [{}, [1, 2, 3]],
      [{ after: 0 }, [1, 2, 3]],
      [{ after: 1 }, [2, 3]],
      [{ after: 3 }, []],
      [{ after: 4 }, []],
      [{ limit: 3 }, [1, 2, 3]],
      [{ limit: 2 }, [1, 2]],
      [{ limit: 1, after: 1 }, [2]],
      [{ reverse: true }, [3, 2, 1]],
      [{ reverse: true, limit: 1 }, [3]],
      [{ reverse: true, after: 1 }, [3, 2]],
      [{ maxBytes: 0 }, [1]],
      [{ maxBytes: 0, reverse: true }, [3]],
      [{ maxBytes: 2 * BYTES_OF_ONE }, [1, 2]],
      [{ maxBytes: 2 * BYTES_OF_ONE - 1 }, [1]],
    ])('give of three publications, asked for %j, those at %j', async (query, expected) => {
      const [publisher, node] = await start();
      await publishMany(publisher, 3);

      const page = await read(node, query);

      expect(page.publications.map(({ position }) => position?.offset)).toEqual(expected);
      expect(page).toMatchObject({ oldest: 1, position: { offset: 3 } });
    });
  });
}

interface Keyed {
  readonly key?: string;
  readonly data?: string;
}

/** The channel of the contract, with a history. */
function using(rule: HistoryRule) {
  const publish = async ({ broker }: Node, { key, data = '0' }: Keyed = {}): Promise<Position> => {
    const position = await broker.publish({ channel: CHANNEL, event: 'n', data }, { history: rule, key });
    if (!position) throw new Error('a publication of a channel with history has got no position');
    return position;
  };
  const read = async ({ broker }: Node, query: Partial<HistoryQuery> = {}): Promise<HistoryPage> =>
    broker.history(CHANNEL, rule, { limit: 100, maxBytes: 1_000_000, ...query });
  return {
    publish,
    read,
    publishMany: (node: Node, count: number): Promise<Position[]> =>
      Promise.all(Array.from({ length: count }, () => publish(node))),
    offsets: async (node: Node): Promise<(number | undefined)[]> => {
      const { publications } = await read(node);
      return publications.map(({ position }) => position?.offset);
    },
  };
}

import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { CHANNEL, OTHER, startNodes, take, type BrokerKind } from './broker-bench.js';
import { brokerHistoriesContract } from './broker-histories.contract.js';

const NASTY: readonly (readonly [what: string, data: unknown])[] = [
  ['an empty text', ''],
  ['line breaks', 'one\ntwo\r\nthree\u2028four'],
  ['NUL and other control characters', '\0\u0001\u001f\u007f'],
  ['an astral character and a letter with an accent', '\u{1f600} caf\u00e9 \u0000'],
  ['half of an astral character', '\ud83d'],
  ['quotes and backslashes', '"\\"\\\\n{}'],
  ['null', null],
  ['zero', 0],
  ['false', false],
  ['keys that objects inherit', JSON.parse('{"__proto__":1,"constructor":{"toString":2}}') as unknown],
  ['64 KiB', 'x'.repeat(65_534)],
  ['64 KiB of two bytes each', '\u00e9'.repeat(32_767)],
];

/**
 * What every `Broker` promises (lib/core/broker.interface.ts). It promises no silence: publications of
 * channels that a node has not subscribed to, or has left, may reach its sink, which drops them.
 */
export function brokerContract(name: string, kind: BrokerKind): void {
  const start = () => startNodes(name, kind);

  describe(`${name} as a broker`, () => {
    it('hands a publication over as it was published', async () => {
      const [publisher, node] = await start();
      await node.broker.subscribe(CHANNEL);

      await publisher.broker.publish({
        channel: CHANNEL,
        event: 'message',
        data: '{"a":[1]}',
        except: 'id-1',
      });

      const [publication] = await take(node, 1);
      expect(publication).toEqual({ channel: CHANNEL, event: 'message', data: '{"a":[1]}', except: 'id-1' });
    });

    it('hands over no data and no except where there are none', async () => {
      const [publisher, node] = await start();
      await node.broker.subscribe(CHANNEL);

      await publisher.broker.publish({ channel: CHANNEL, event: 'message' });

      const [publication] = await take(node, 1);
      expect([publication?.data, publication?.except]).toEqual([undefined, undefined]);
    });

    it.each(NASTY)('keeps data with %s', async (_what, data) => {
      const [publisher, node] = await start();
      await node.broker.subscribe(CHANNEL);
      const json = JSON.stringify(data);

      await publisher.broker.publish({ channel: CHANNEL, event: 'message', data: json });

      const [publication] = await take(node, 1);
      expect(publication?.data).toBe(json);
    });

    it.each(['\n', 'a "b" \\c', '\u{1f600}', '\0', '__proto__', 'e'.repeat(128)])(
      'keeps the event %j',
      async (event) => {
        const [publisher, node] = await start();
        await node.broker.subscribe(OTHER);

        await publisher.broker.publish({ channel: OTHER, event, data: '1' });

        const [publication] = await take(node, 1, OTHER);
        expect(publication).toMatchObject({ channel: OTHER, event });
      },
    );

    it('keeps the order of a channel, each at most once: published one by one', async () => {
      const [publisher, node] = await start();
      await node.broker.subscribe(CHANNEL);
      const sent = texts(100);

      for (const data of sent) await publisher.broker.publish({ channel: CHANNEL, event: 'n', data });

      expect((await take(node, 100)).map(({ data }) => data)).toEqual(sent);
    });

    it('keeps the order of a channel, each at most once: published without waiting', async () => {
      const [publisher, node] = await start();
      await Promise.all([node.broker.subscribe(CHANNEL), node.broker.subscribe(OTHER)]);
      const sent = texts(100);

      const publishing = sent.map((data, at) =>
        publisher.broker.publish({ channel: at % 3 === 0 ? OTHER : CHANNEL, event: 'n', data }),
      );
      await Promise.all(publishing);
      await publisher.broker.publish({ channel: CHANNEL, event: 'n', data: 'null' });

      const expected = [...sent.filter((_, at) => at % 3 !== 0), 'null'];
      expect((await take(node, expected.length)).map(({ data }) => data)).toEqual(expected);
    });

    it('misses nothing that is published once it has subscribed', async () => {
      const [publisher, node] = await start();

      for (const channel of ['a', 'b', 'c']) {
        await node.broker.subscribe(channel);
        await publisher.broker.publish({ channel, event: 'first' });
        expect(await take(node, 1, channel)).toHaveLength(1);
      }
    });

    it('lets the last of subscribe and unsubscribe count, without waiting for either', async () => {
      const [publisher, node] = await start();

      await Promise.all([
        node.broker.subscribe(CHANNEL),
        node.broker.unsubscribe(CHANNEL),
        node.broker.subscribe(CHANNEL),
      ]);
      await publisher.broker.publish({ channel: CHANNEL, event: 'message', data: '1' });

      expect(await take(node, 1)).toHaveLength(1);
    });

    it('takes publications of a channel that nobody has subscribed to', async () => {
      const [publisher] = await start();

      await expect(Promise.resolve(publisher.broker.publish({ channel: OTHER, event: 'e' }))).resolves.toBe(
        undefined,
      );
    });

    it('reaches the node that has published, too', async () => {
      const [publisher] = await start();
      await publisher.broker.subscribe(CHANNEL);

      await publisher.broker.publish({ channel: CHANNEL, event: 'message' });

      expect(await take(publisher, 1)).toHaveLength(1);
    });

    it('may be closed twice, and hands nothing over afterwards', async () => {
      const [{ broker, got }] = await start();
      await broker.subscribe(CHANNEL);

      await broker.close();
      await broker.close();
      // Whether it is refused or dropped is the broker's own affair.
      await Promise.allSettled([attempt(() => broker.publish({ channel: CHANNEL, event: 'late' }))]);
      for (let turns = 0; turns < 10; turns++) await nextTurn();

      expect(got.all).toEqual([]);
    });
  });

  brokerHistoriesContract(name, kind);
  if (kind.nodes > 1) severalNodes();

  function severalNodes(): void {
    describe(`${name} between nodes`, () => {
      it('hands every node the same order', async () => {
        const [one, other] = await start();
        await Promise.all([one.broker.subscribe(CHANNEL), other.broker.subscribe(CHANNEL)]);

        await Promise.all(
          texts(50).map((data, at) =>
            (at % 2 ? one : other).broker.publish({ channel: CHANNEL, event: 'n', data }),
          ),
        );

        const orders = [await take(one, 50), await take(other, 50)];
        expect(orders[0]).toEqual(orders[1]);
      });

      it('goes on for one when another leaves or closes', async () => {
        const [one, other] = await start();
        await Promise.all([one.broker.subscribe(CHANNEL), other.broker.subscribe(CHANNEL)]);

        await other.broker.unsubscribe(CHANNEL);
        await one.broker.publish({ channel: CHANNEL, event: 'after the leave' });
        await other.broker.close();
        await one.broker.publish({ channel: CHANNEL, event: 'after the close' });

        expect((await take(one, 2)).map(({ event }) => event)).toEqual([
          'after the leave',
          'after the close',
        ]);
      });
    });
  }
}

/** So many texts of JSON, each another one. */
function texts(count: number): string[] {
  return Array.from({ length: count }, (_, at) => String(at));
}

async function attempt(work: () => unknown): Promise<void> {
  await work();
}

import type { QueueStorage, StoredMessage, StoredQueue } from 'nestjs-channels/client';
import { describe, expect, it } from 'vitest';

/** One page of a browser, or what stands for one. */
export interface StoragePage {
  readonly storage: QueueStorage;
  /** The page ends without a word: nothing of it runs any more. */
  end(): Promise<void>;
}

/** Pages over one place in which messages are kept. */
export interface QueueStorageBench {
  openPage(): Promise<StoragePage>;
  /** Moves the clock on the wall, which stands still otherwise, forwards or back, for the pages that are opened from here on. */
  pass(ms: number): void;
}

const CLIENT_ID = 'c'.repeat(22);

function message(id: string, more: Partial<StoredMessage> = {}): StoredMessage {
  const text = JSON.stringify({ event: 'order', data: `data of ${id}`, id });
  return { id, clientId: CLIENT_ID, text, ...more };
}

const DATA: readonly (readonly [what: string, data: unknown])[] = [
  ['no data', undefined],
  ['line breaks, NUL, quotes and an astral character', '\n\r\0"\\\u{1f600}\u2028'],
  ['half of an astral character', '\ud83d'],
  ['__proto__', JSON.parse('{"__proto__":{"a":[1,null]}}')],
  ['64 KiB', 'x'.repeat(65_536)],
];

/** What every `QueueStorage` promises (lib/client/queue-storage.interface.ts). */
export function queueStorageContract(name: string, create: () => Promise<QueueStorageBench>): void {
  const fail = (cause: unknown): void => {
    throw cause;
  };

  interface Holder {
    readonly page: StoragePage;
    readonly queue: StoredQueue;
  }

  async function hold(bench: QueueStorageBench): Promise<Holder> {
    const page = await bench.openPage();
    return { page, queue: await page.storage.open(fail) };
  }

  /** A page that has saved these, and has ended. */
  async function leave(bench: QueueStorageBench, ...messages: readonly StoredMessage[]): Promise<void> {
    const { page, queue } = await hold(bench);
    for (const saved of messages) await queue.save(saved);
    await page.end();
  }

  const ids = ({ messages }: StoredQueue): string[] => messages.map(({ id }) => id);

  describe(`the contract of a queue storage: ${name}`, () => {
    it('is empty at first', async () => {
      const { queue } = await hold(await create());

      expect(queue.messages).toEqual([]);
    });

    it('gives the next page what the one before has saved, in order', async () => {
      const bench = await create();
      const saved = ['b', 'a', '10', '9'].map((id) => message(id));

      await leave(bench, ...saved);
      const { queue } = await hold(bench);

      expect(queue.messages).toEqual(saved);
    });

    it('keeps more than ten in order', async () => {
      const bench = await create();
      const saved = Array.from({ length: 23 }, (_, index) => message(`m${index}`));

      await leave(bench, ...saved);
      const { queue } = await hold(bench);

      expect(queue.messages).toEqual(saved);
    });

    it.each(DATA)('keeps %s', async (_what, data) => {
      const bench = await create();
      const text = JSON.stringify({ event: 'order', data, id: 'a' });

      await leave(bench, message('a', { text }));
      const { queue } = await hold(bench);

      expect(queue.messages[0]?.text).toBe(text);
    });

    it('keeps all that is known of a message', async () => {
      const bench = await create();
      const saved = message('a', { principal: 'tag', sentAgoMs: 5_000, leftMs: 10_000 });

      await leave(bench, saved);
      const { queue } = await hold(bench);

      expect(queue.messages).toEqual([saved]);
    });

    it.each(['', 'tag'])('tells the principal %j from none', async (principal) => {
      const bench = await create();

      await leave(bench, message('a', { principal }), message('b'));
      const { queue } = await hold(bench);

      expect(queue.messages.map((left) => left.principal)).toEqual([principal, undefined]);
    });

    it('replaces a message where it stands', async () => {
      const bench = await create();
      const sent = message('a', { sentAgoMs: 0, principal: 'tag' });

      await leave(bench, message('a'), message('b'), sent);
      const { queue } = await hold(bench);

      expect(queue.messages).toEqual([sent, message('b')]);
    });

    it('forgets what is removed, and nothing else', async () => {
      const bench = await create();
      const { page, queue } = await hold(bench);
      for (const id of ['a', 'b', 'c']) await queue.save(message(id));

      await queue.remove('b');
      await queue.remove('b');
      await queue.remove('never there');
      await page.end();
      const next = await hold(bench);

      expect(ids(next.queue)).toEqual(['a', 'c']);
    });

    it('puts what the next page saves behind what it has found', async () => {
      const bench = await create();
      await leave(bench, message('a'), message('b'));
      const { page, queue } = await hold(bench);

      await queue.save(message('c'));
      await queue.save(message('a', { sentAgoMs: 0 }));
      await queue.remove('b');
      await page.end();
      const next = await hold(bench);

      expect(ids(next.queue)).toEqual(['a', 'c']);
      expect(next.queue.messages[0]?.sentAgoMs).toBe(0);
    });

    it('gives nobody what a page holds', async () => {
      const bench = await create();
      const { queue } = await hold(bench);
      await queue.save(message('a'));

      const [one, other] = [await hold(bench), await hold(bench)];
      await one.queue.save(message('b'));

      expect([ids(one.queue), ids(other.queue)]).toEqual([[], []]);
    });

    it('gives nobody what another client of the same page holds', async () => {
      const { page, queue } = await hold(await create());
      await queue.save(message('a'));

      const other = await page.storage.open(fail);

      expect(other.messages).toEqual([]);
    });

    it('gives what two pages have left to the next two, one each', async () => {
      const bench = await create();
      const two = [await hold(bench), await hold(bench)];
      await two[0]?.queue.save(message('a'));
      await two[1]?.queue.save(message('b', { clientId: 'd'.repeat(22) }));
      for (const { page } of two) await page.end();

      const next = [await hold(bench), await hold(bench), await hold(bench)];

      expect(next.map(({ queue }) => ids(queue).join()).toSorted()).toEqual(['', 'a', 'b']);
    });

    it('gives what was left to one page after the other, when the first is done', async () => {
      const bench = await create();
      const two = [await hold(bench), await hold(bench)];
      await two[0]?.queue.save(message('a'));
      await two[1]?.queue.save(message('b'));
      for (const { page } of two) await page.end();

      const seen: string[] = [];
      for (let page = 0; page < 2; page++) {
        const next = await hold(bench);
        for (const id of ids(next.queue)) {
          seen.push(id);
          await next.queue.remove(id);
        }
        await next.page.end();
      }

      expect(seen.toSorted()).toEqual(['a', 'b']);
    });

    it('gives what was left to one of those that ask at the same time', async () => {
      const bench = await create();
      await leave(bench, message('a'));
      const pages = [await bench.openPage(), await bench.openPage(), await bench.openPage()];

      const queues = await Promise.all(pages.map(({ storage }) => storage.open(fail)));

      expect(queues.flatMap((queue) => ids(queue))).toEqual(['a']);
    });

    it('is for the next one when it is closed', async () => {
      const bench = await create();
      const { page, queue } = await hold(bench);
      await queue.save(message('a'));

      await queue.close();
      await queue.close();
      const next = await page.storage.open(fail);

      expect(ids(next)).toEqual(['a']);
    });

    it('writes nothing any more when it is closed', async () => {
      const bench = await create();
      const { queue } = await hold(bench);
      await queue.save(message('a'));
      await queue.close();
      const next = await hold(bench);

      await queue.save(message('b'));
      await queue.remove('a');
      await next.page.end();
      const last = await hold(bench);

      expect(ids(last.queue)).toEqual(['a']);
    });

    it('lets messages age while there is no page', async () => {
      const bench = await create();
      await leave(
        bench,
        message('never sent'),
        message('sent', { sentAgoMs: 1_000 }),
        message('in time', { leftMs: 70_000 }),
        message('late', { leftMs: 59_000 }),
      );

      bench.pass(60_000);
      const { queue } = await hold(bench);

      const times = queue.messages.map(({ sentAgoMs, leftMs }) => [sentAgoMs, leftMs]);
      expect(times).toEqual([
        [undefined, undefined],
        [61_000, undefined],
        [undefined, 10_000],
        [undefined, 0],
      ]);
    });

    it('knows no age where the clock was set back', async () => {
      const bench = await create();
      await leave(bench, message('sent', { sentAgoMs: 0, leftMs: 1_000 }), message('never sent'));

      bench.pass(-60_000);
      const { queue } = await hold(bench);

      const times = queue.messages.map(({ sentAgoMs, leftMs }) => [sentAgoMs, leftMs]);
      expect(times).toEqual([
        [Infinity, 1_000],
        [undefined, undefined],
      ]);
    });

    it('knows no age for good where it is saved without one', async () => {
      const bench = await create();
      await leave(bench, message('a', { sentAgoMs: Infinity }));

      bench.pass(1_000);
      const { queue } = await hold(bench);

      expect(queue.messages[0]?.sentAgoMs).toBe(Infinity);
    });
  });
}

import { expect, it } from 'vitest';
import type { StoredMessage, StoredQueue } from '../../lib/client/index.js';
import { LocalStorageQueue } from '../../lib/client/storage/index.js';
import { FakeBrowser, FakeStorage } from './fake-browser.js';

const message = (id: string, more: Partial<StoredMessage> = {}): StoredMessage => ({
  id,
  clientId: 'c'.repeat(22),
  text: JSON.stringify({ event: 'order', id }),
  ...more,
});

/** Opens as a page does, and passes over the wait for a page that is being left. */
async function open(
  browser: FakeBrowser,
  { tab, name, told = [] }: { tab?: FakeStorage; name?: string; told?: unknown[] } = {},
): Promise<{ queue: StoredQueue; end(): void }> {
  const { page, end } = browser.openPage(tab);
  const opening = new LocalStorageQueue({ name, page }).open((cause) => told.push(cause));
  const [queue] = await Promise.all([opening, browser.clock.advance(1_000)]);
  return { queue, end };
}

const ids = ({ queue }: { queue: StoredQueue }): string[] => queue.messages.map(({ id }) => id);

const keys = ({ localStorage }: FakeBrowser): string[] => [...localStorage.items.keys()];

it('finds its own slot again behind a reload, whatever else was left', async () => {
  const browser = new FakeBrowser();
  const tabs = [new FakeStorage(), new FakeStorage(), new FakeStorage()];
  for (const [at, tab] of tabs.entries()) {
    const { queue } = await open(browser, { tab });
    await queue.save(message(`of tab ${at}`));
  }
  const left = browser.localStorage;
  const next = new FakeBrowser();
  for (const [key, value] of left.items) next.localStorage.items.set(key, value);

  const reloaded = [];
  for (const tab of tabs.toReversed()) reloaded.push(ids(await open(next, { tab })));

  expect(reloaded).toEqual([['of tab 2'], ['of tab 1'], ['of tab 0']]);
});

it('waits a second for the page that is being left', async () => {
  const browser = new FakeBrowser();
  const tab = new FakeStorage();
  const leaving = await open(browser, { tab });
  await leaving.queue.save(message('a'));
  const opening = new LocalStorageQueue({ page: browser.openPage(tab).page }).open(() => undefined);
  await browser.clock.advance(999);

  leaving.end();

  expect((await opening).messages.map(({ id }) => id)).toEqual(['a']);
});

it('takes a slot of its own in a duplicate, behind that second', async () => {
  const browser = new FakeBrowser();
  const tab = new FakeStorage();
  const { queue } = await open(browser, { tab });
  await queue.save(message('a'));
  const copy = new FakeStorage();
  for (const [key, value] of tab.items) copy.setItem(key, value);

  const duplicate = await open(browser, { tab: copy });

  expect(ids(duplicate)).toEqual([]);
  expect([...copy.items.values()]).not.toEqual([...tab.items.values()]);
});

it('keeps names apart, also where one begins like another', async () => {
  const browser = new FakeBrowser();
  for (const name of ['a', 'a:b', '', 'a%3Ab']) {
    const { queue, end } = await open(browser, { name });
    await queue.save(message(`of ${name}`));
    end();
  }

  const found = [];
  for (const name of ['a', 'a:b', '', 'a%3Ab']) found.push(ids(await open(browser, { name })));

  expect(found).toEqual([['of a'], ['of a:b'], ['of '], ['of a%3Ab']]);
});

it('leaves nothing behind where nothing waits', async () => {
  const browser = new FakeBrowser();
  const { queue, end } = await open(browser);
  await queue.save(message('a'));
  await queue.remove('a');
  end();

  expect(keys(browser)).toEqual([]);
  expect(browser.locked).toBe(0);
});

it('holds one lock, and gives it back', async () => {
  const browser = new FakeBrowser();
  const first = await open(browser);
  await first.queue.save(message('a'));
  const { queue } = await open(browser);
  const held = browser.locked;

  queue.close();
  await browser.clock.advance(0);

  expect([held, browser.locked]).toEqual([2, 1]);
});

it.each([
  ['no line', 'x'],
  ['nothing', ''],
  ['no JSON in front', '{\n{"event":"e","id":"b"}'],
  ['no JSON behind', '{"id":"b","clientId":"cccccccccccccccccccccc","savedAt":1}\n{'],
  [
    'a frame of another id',
    '{"id":"b","clientId":"cccccccccccccccccccccc","savedAt":1}\n{"event":"e","id":"x"}',
  ],
  ['a frame without an event', '{"id":"b","clientId":"cccccccccccccccccccccc","savedAt":1}\n{"id":"b"}'],
  ['a frame that is a list', '{"id":"b","clientId":"cccccccccccccccccccccc","savedAt":1}\n[]'],
  ['no id', '{"clientId":"cccccccccccccccccccccc","savedAt":1}\n{"event":"e"}'],
  ['a clientId of another form', '{"id":"b","clientId":"c","savedAt":1}\n{"event":"e","id":"b"}'],
  ['another clientId', '{"id":"b","clientId":"dddddddddddddddddddddd","savedAt":1}\n{"event":"e","id":"b"}'],
  ['no time', '{"id":"b","clientId":"cccccccccccccccccccccc"}\n{"event":"e","id":"b"}'],
  [
    'an age that is a text',
    '{"id":"b","clientId":"cccccccccccccccccccccc","savedAt":1,"sentAgoMs":"1"}\n{"event":"e","id":"b"}',
  ],
  [
    'a principal that is a number',
    '{"id":"b","clientId":"cccccccccccccccccccccc","savedAt":1,"principal":1}\n{"event":"e","id":"b"}',
  ],
  ['null', 'null\nnull'],
])('drops a record with %s, and tells it', async (_what, damaged) => {
  const browser = new FakeBrowser();
  const { queue, end } = await open(browser);
  for (const id of ['a', 'b', 'c']) await queue.save(message(id));
  end();
  browser.localStorage.setItem(keys(browser)[1] ?? '', damaged);
  const told: unknown[] = [];

  const next = await open(browser, { told });

  expect(ids(next)).toEqual(['a', 'c']);
  expect(told).toEqual([expect.objectContaining({ message: expect.stringMatching(/cannot be read/) })]);
  expect(keys(browser)).toHaveLength(2);
});

it('does not tell what a damaged record said', async () => {
  const browser = new FakeBrowser();
  const { queue, end } = await open(browser);
  await queue.save(message('a', { text: '{"event":"e","data":"secret"' }));
  end();
  const told: unknown[] = [];

  await open(browser, { told });

  expect(told).toHaveLength(1);
  expect(String(told[0])).not.toContain('secret');
});

it('keeps no older record of a message for which there is no room', async () => {
  const browser = new FakeBrowser();
  const { queue, end } = await open(browser);
  await queue.save(message('a'));
  const [key = ''] = keys(browser);
  browser.localStorage.quota = key.length + (browser.localStorage.getItem(key)?.length ?? 0);

  expect(() => queue.save(message('a', { sentAgoMs: 0 }))).toThrow('QuotaExceededError');
  end();

  expect(keys(browser)).toEqual([]);
});

it('has room for the next one when there was none for one', async () => {
  const browser = new FakeBrowser();
  const { queue, end } = await open(browser);
  await queue.save(message('a'));
  browser.localStorage.quota = 10;
  expect(() => queue.save(message('b'))).toThrow('QuotaExceededError');
  browser.localStorage.quota = Infinity;

  await queue.save(message('c'));
  end();

  expect(ids(await open(browser))).toEqual(['a', 'c']);
});

it('writes no more when somebody has taken its lock by force, and tells it once', async () => {
  const browser = new FakeBrowser();
  const told: unknown[] = [];
  const { queue } = await open(browser, { told });
  await queue.save(message('a'));

  browser.stealLocks();
  await browser.clock.advance(0);
  await queue.save(message('b'));
  await queue.remove('a');

  expect(told).toEqual([expect.objectContaining({ message: 'AbortError: stolen' })]);
  expect(keys(browser)).toHaveLength(1);
});

it('goes on where the tab cannot remember its slot, and tells it', async () => {
  const tab = new FakeStorage();
  tab.quota = 0;
  const told: unknown[] = [];

  const { queue } = await open(new FakeBrowser(), { tab, told });

  expect(queue.messages).toEqual([]);
  expect(told).toHaveLength(1);
});

it('says what to do where there are no locks', async () => {
  const { page } = new FakeBrowser().openPage();

  const opening = new LocalStorageQueue({ page: { ...page, navigator: {} } }).open(() => undefined);

  await expect(opening).rejects.toThrow(/navigator\.locks.*https: or localhost/);
});

it('can be made where there is no page', () => {
  expect(() => new LocalStorageQueue()).not.toThrow();
});

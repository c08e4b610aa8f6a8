import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureBuilt } from '../support/app-process.js';
import { launchChromium } from '../support/chromium.js';
import { ChatProcess } from './chat-rig.js';
import { ChatTab, comeBack, openBrowser, POLL, takePictures, waitLong } from './chat-tab.js';

/** After so many seconds the page gives a message up. */
const SEND_TIMEOUT_S = 60;

/** Messages that fill more than a screen. */
const LONG = 40;

let browser: Browser;

beforeAll(async () => {
  ensureBuilt();
  browser = await launchChromium();
}, 120_000);

afterAll(() => browser.close());

describe('sample/01-chat in a browser', () => {
  it('shows two tabs what each other writes, and brings a message over the death of its server', async () => {
    const chat = await ChatProcess.start();
    const context = await openBrowser(browser);
    const [ann, ben] = [await ChatTab.open(context, chat), await ChatTab.open(context, chat)];
    await takePictures(ann, 'login');
    await ann.logIn('Ann Lee');
    await ben.logIn('Ben');

    await ann.write('Good morning!');
    await ann.write('Are we still on for three?');
    await ben.message('Are we still on').waitFor();
    await ben.write('We are. The room is booked until five, so there is time for the second floor as well.');
    await ben.write('Mira comes along.');
    await ann.message('Mira comes along.').waitFor();
    await expect.poll(() => ann.statusOf('Are we still on'), POLL).toBe('Sent');
    await takePictures(ann, 'conversation');
    await ann.page.emulateMedia({ colorScheme: 'dark' });
    await takePictures(ann, 'conversation-dark');
    await ann.page.emulateMedia({ colorScheme: 'light' });

    await chat.kill();
    for (const tab of [ann, ben])
      await expect.poll(() => tab.state(), POLL).toMatch(/^Offline Connection lost\./);
    await waitLong(ann);
    const seconds = await ann.countdown();
    await context.clock.fastForward(5_000);
    await expect.poll(() => ann.countdown(), POLL).toBeLessThanOrEqual(seconds - 5);
    await ann.write('I bring the drawings.');
    expect(await ann.statusOf('I bring the drawings.')).toBe('Sending …');
    expect(await ann.state()).toMatch(/^Offline Connection lost. Next try in \d+ s$/);
    await takePictures(ann, 'waiting');

    await ChatProcess.start({ port: chat.port });
    await ann.click('Try now');
    await expect.poll(() => ann.state(), POLL).toBe('Connected');
    await expect.poll(() => ann.statusOf('I bring the drawings.'), POLL).toBe('Sent');
    // The other tab waits until its own time has come.
    await context.clock.fastForward(30_000);
    await expect.poll(() => ben.state(), POLL).toBe('Connected');
    await ben.message('I bring the drawings.').waitFor();
    await ben.write('Perfect.');

    // What was acked before was in the memory of the server that is gone.
    for (const tab of [ann, ben]) {
      await tab.message('Perfect.').waitFor();
      await expect.poll(() => tab.texts(), POLL).toEqual(['I bring the drawings.', 'Perfect.']);
      expect(await tab.states()).toEqual(['Connecting …', 'Connected', 'Offline', 'Connected']);
    }
  }, 60_000);

  it('sends what was in flight when its server died once more, and shows it once', async () => {
    const chat = await ChatProcess.start();
    const context = await openBrowser(browser);
    const ann = await (await ChatTab.open(context, chat)).logIn('Ann');
    const ben = await (await ChatTab.open(context, chat)).logIn('Ben');

    chat.freeze();
    await ann.write('Is anybody there?');
    expect([await ann.state(), await ann.statusOf('Is anybody there?')]).toEqual(['Connected', 'Sending …']);
    await chat.kill();
    await ChatProcess.start({ port: chat.port });
    for (const tab of [ann, ben]) await comeBack(tab);

    await ben.message('Is anybody there?').waitFor();
    await ben.write('I am.');
    for (const tab of [ann, ben]) {
      await tab.message('I am.').waitFor();
      await expect.poll(() => tab.texts(), POLL).toEqual(['Is anybody there?', 'I am.']);
    }
    expect(await ann.statusOf('Is anybody there?')).toBe('Sent');
  }, 60_000);

  it('gives a message up after a minute, and sends it again when asked to', async () => {
    const chat = await ChatProcess.start();
    const context = await openBrowser(browser);
    const ann = await (await ChatTab.open(context, chat)).logIn('Ann Lee');
    const ben = await (await ChatTab.open(context, chat)).logIn('Ben');
    await ben.write('Who brings the drawings?');
    await ann.message('Who brings').waitFor();

    await chat.kill();
    await expect.poll(() => ann.state(), POLL).toMatch(/^Offline Connection lost/);
    await ann.write('I do.');
    await ann.write('This one is not worth it.');
    await context.clock.fastForward(SEND_TIMEOUT_S * 1_000);
    await expect
      .poll(() => ann.statusOf('I do.'), POLL)
      .toBe('Not sent: the server has not answered in time');
    await takePictures(ann, 'failed');
    await ann.page.emulateMedia({ colorScheme: 'dark' });
    await takePictures(ann, 'failed-dark');
    await ann.message('not worth it').getByRole('button', { name: 'Discard' }).click();

    await ChatProcess.start({ port: chat.port });
    for (const tab of [ann, ben]) await comeBack(tab);
    await expect.poll(() => ann.texts(), POLL).toEqual(['I do.']);
    await ann.click('Retry');
    await expect.poll(() => ann.statusOf('I do.'), POLL).toBe('Sent');
    await ben.message('I do.').waitFor();
    await ben.write('Thanks.');
    for (const tab of [ann, ben]) await expect.poll(() => tab.texts(), POLL).toEqual(['I do.', 'Thanks.']);
  }, 60_000);

  it('shows a message once where its publication comes after the ack, too', async () => {
    const chat = await ChatProcess.start();
    const tab = await ChatTab.open(await openBrowser(browser), chat);
    const publications: (() => void)[] = [];
    await tab.page.routeWebSocket('**/ws', (socket) => {
      const server = socket.connectToServer();
      server.onMessage((text) => {
        if (String(text).includes('"event":"message"')) publications.push(() => socket.send(text));
        else socket.send(text);
      });
    });
    await tab.logIn('Ann');

    for (const text of ['First.', 'Second.']) {
      await tab.write(text);
      await expect.poll(() => tab.statusOf(text), POLL).toBe('Sent');
    }
    expect(publications).toHaveLength(2);
    for (const publish of publications) publish();
    await tab.write('Third.');
    await expect.poll(() => tab.statusOf('Third.'), POLL).toBe('Sent');

    expect(await tab.texts()).toEqual(['First.', 'Second.', 'Third.']);
  });

  it('shows what people write as text, names too', async () => {
    const chat = await ChatProcess.start();
    const context = await openBrowser(browser);
    const markup = '<img src=x onerror="hacked=1"><b>bold</b>';
    const eve = await (await ChatTab.open(context, chat)).logIn('<b>Eve</b>');
    const ann = await (await ChatTab.open(context, chat)).logIn('Ann');

    await eve.write(markup);

    await ann.message('bold').waitFor();
    expect(await ann.texts()).toEqual([markup]);
    expect(await ann.message('bold').locator('.author').innerText()).toBe('<b>Eve</b>');
    for (const { page } of [ann, eve]) {
      expect(await page.locator('.log img, .log b').count()).toBe(0);
      expect(await page.evaluate('typeof hacked')).toBe('undefined');
    }
  });

  it('shows the end of a long conversation, also when the window shrinks', async () => {
    const chat = await ChatProcess.start();
    const tab = await (await ChatTab.open(await openBrowser(browser), chat)).logIn('Ann');
    const ben = await chat.connect('Ben');
    for (let n = 1; n <= LONG; n += 1)
      await ben.request('chat.send', { room: 'lobby', text: `Line ${n} of ${LONG}` });

    await tab.message(`Line ${LONG} of`).waitFor();
    await takePictures(tab, 'long');
    await tab.page.setViewportSize({ width: 390, height: 400 });

    await expect.poll(() => tab.isInView(`Line ${LONG} of`), POLL).toBe(true);
    expect(await tab.isInView('Line 1 of')).toBe(false);
  });

  it('joins every room that it lists', async () => {
    const chat = await ChatProcess.start();
    const tab = await (await ChatTab.open(await openBrowser(browser), chat)).logIn('Ann');

    for (const room of ['Random', 'Help', 'Lobby']) {
      await tab.enter(room);
      await tab.page.getByText('No messages yet. Say hello!').waitFor();
    }

    expect(await tab.page.getByRole('link').allInnerTexts()).toEqual(['Lobby', 'Random', 'Help']);
  });

  it('says why where the server has no such room', async () => {
    const chat = await ChatProcess.start();
    const tab = await ChatTab.open(await openBrowser(browser), chat);
    await tab.page.routeWebSocket('**/ws', (socket) => {
      const server = socket.connectToServer();
      socket.onMessage((text) => server.send(String(text).replace(/(chat:|"room":")lobby/, '$1attic')));
    });

    await tab.logIn('Ann');
    await tab.page.getByText('There is no room "attic".').waitFor();
    await tab.write('Hello?');

    await expect.poll(() => tab.statusOf('Hello?'), POLL).toBe('Not sent: There is no room "attic".');
  });

  it('keeps the rooms apart, counts what is unread, and stays where it is over a reload', async () => {
    const chat = await ChatProcess.start();
    const context = await openBrowser(browser);
    const [ann, ben] = [await ChatTab.open(context, chat), await ChatTab.open(context, chat)];
    await ann.page.goto(`${chat.url}#attic`);
    await ann.logIn('Ann');
    await ben.logIn('Ben');

    await ben.enter('Random');
    await ben.write('Anybody for lunch?');
    await ann.page.getByRole('link', { name: 'Random, 1 unread' }).waitFor();
    expect([await ann.texts(), await ann.page.title()]).toEqual([[], '(1) Lobby · Chat']);
    await ann.enter('Random');
    await ann.page.reload();

    await ann.message('Anybody for lunch?').waitFor();
    expect(await ann.page.title()).toBe('Random · Chat');
  });
});

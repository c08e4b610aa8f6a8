import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureBuilt } from '../support/app-process.js';
import { launchChromium } from '../support/chromium.js';
import { ChatTab, comeBack, openBrowser, POLL, takePictures } from './chat-tab.js';
import { ClusterProcess, PageNode } from './cluster-rig.js';

let browser: Browser;

beforeAll(async () => {
  ensureBuilt();
  browser = await launchChromium();
}, 120_000);

afterAll(() => browser.close());

describe.each(['nginx', 'haproxy'])('sample/03-chat-cluster behind %s', (proxy) => {
  it('shows two pages on two nodes what each other writes, and brings one over the death of its node', async () => {
    const cluster = await ClusterProcess.start({ proxy });
    const context = await openBrowser(browser);
    const [ann, ben] = [await ChatTab.open(context, cluster), await ChatTab.open(context, cluster)];
    const nodes = [await PageNode.watch(ann), await PageNode.watch(ben)] as const;
    await ann.logIn('Ann');
    await ben.logIn('Ben');
    const before = [nodes[0].address, nodes[1].address] as const;

    await ann.write('Which node are you on?');
    await ben.message('Which node').waitFor();
    await ben.write('The other one.');
    await ann.message('The other one.').waitFor();
    await takePictures(ann, `cluster-${proxy}`);

    // Frozen first: what is sent to it and published meanwhile is left for the other node.
    cluster.signalNode(before[0], 'SIGSTOP');
    await ben.write('Yours does not answer.');
    await expect.poll(() => ben.statusOf('Yours does not answer.'), POLL).toBe('Sent');
    await ann.write('Hello?');
    expect(await ann.texts()).toEqual(['Which node are you on?', 'The other one.', 'Hello?']);
    expect(await ann.statusOf('Hello?')).toBe('Sending …');
    cluster.signalNode(before[0], 'SIGKILL');
    await comeBack(ann);
    await expect.poll(() => ann.statusOf('Hello?'), POLL).toBe('Sent');
    await ann.write('I am on yours now.');
    await ben.message('I am on yours now.').waitFor();
    await takePictures(ann, `cluster-${proxy}-moved`);

    const texts = [
      ...['Which node are you on?', 'The other one.', 'Yours does not answer.'],
      ...['Hello?', 'I am on yours now.'],
    ];
    for (const tab of [ann, ben]) await expect.poll(() => tab.texts(), POLL).toEqual(texts);
    expect(new Set(before)).toEqual(new Set(cluster.nodes.keys()));
    expect([nodes[0].address, nodes[1].address]).toEqual([before[1], before[1]]);
    expect(await ben.states()).toEqual(['Connecting …', 'Connected']);
  }, 120_000);
});

import { afterEach, describe, expect, it, vi } from 'vitest';
import { ClientRig } from './client-rig.js';

describe('a hint', () => {
  /** What a page has; `hidden` as a tab in the background. */
  function page(visibilityState = 'visible'): { window: EventTarget; document: EventTarget } {
    const [window, document] = [new EventTarget(), Object.assign(new EventTarget(), { visibilityState })];
    vi.stubGlobal('addEventListener', window.addEventListener.bind(window));
    vi.stubGlobal('removeEventListener', window.removeEventListener.bind(window));
    vi.stubGlobal('document', document);
    return { window, document };
  }

  afterEach(() => void vi.unstubAllGlobals());

  type Hint = readonly [name: string, give: (rig: ClientRig, at: ReturnType<typeof page>) => void];
  const HINTS: readonly Hint[] = [
    ['online', (_rig, { window }) => void window.dispatchEvent(new Event('online'))],
    [
      'a tab that is seen again',
      (_rig, { document }) => void document.dispatchEvent(new Event('visibilitychange')),
    ],
    ['connect()', ({ client }) => client.connect()],
  ];

  it.each(HINTS)('by %s asks an open connection for a sign of life within 10 s', async (_name, give) => {
    const at = page();
    const rig = await ClientRig.open();
    rig.server.answersPings = false;

    give(rig, at);
    await rig.pass(9_999);
    const before = [rig.client.state.name, rig.server.peer.of('$ping').length];
    await rig.pass(1);

    expect(before).toEqual(['open', 1]);
    expect(rig.client.state).toMatchObject({ name: 'waiting', reason: 'silence' });
  });

  it.each(HINTS)('by %s leaves a connection that answers alone', async (_name, give) => {
    const at = page();
    const rig = await ClientRig.open();

    give(rig, at);
    await rig.pass(30_000);

    expect([rig.client.state.name, rig.server.peers.length]).toEqual(['open', 1]);
  });

  it.each(HINTS)('by %s ends a wait at once', async (_name, give) => {
    const at = page();
    const rig = await ClientRig.open();
    rig.server.peer.cut();
    await rig.pass(1);

    give(rig, at);

    expect(rig.client.state.name).toBe('connecting');
  });

  it.each(HINTS.slice(0, 2))(
    'by %s during an attempt that fails spares the wait behind it',
    async (_name, give) => {
      const at = page();
      const rig = await ClientRig.open();
      rig.server.reception = 'hang';
      await rig.reconnect();
      const before = rig.client.state.name;

      give(rig, at);
      await rig.pass(20_000);

      // An attempt that began before the network was back is lost, and its hint was as well.
      const waits = rig.states
        .filter(({ name }) => name === 'waiting')
        .map((state) => 'delayMs' in state && state.delayMs);
      expect([before, waits[1]]).toEqual(['connecting', 0]);
      expect(waits[2]).toBeGreaterThan(0);
    },
  );

  it.each(HINTS.slice(0, 2))(
    'by %s does not shorten a wait that the server has ordered',
    async (_name, give) => {
      const at = page();
      const rig = await ClientRig.open();
      rig.server.peer.close(1013, '{"retryAfterMs":60000}');
      await rig.pass(2);

      give(rig, at);
      await rig.pass(59_000);

      expect(rig.client.state).toMatchObject({ name: 'waiting', ordered: true });
    },
  );

  it.each(HINTS.slice(0, 2))('by %s moves no tab that nobody sees', async (_name, give) => {
    const at = page('hidden');
    const rig = await ClientRig.open();

    give(rig, at);
    await rig.pass(20);

    expect(rig.server.peer.of('$ping')).toEqual([]);
  });

  it.each(HINTS.slice(0, 2))('by %s brings no closed client back', async (_name, give) => {
    const at = page();
    const rig = await ClientRig.open();
    rig.client.close();

    give(rig, at);
    await rig.pass(1_000);

    expect(rig.client.state.name).toBe('closed');
  });

  it('is not listened to by a client that has nothing to do', () => {
    page();
    const added = vi.fn();
    vi.stubGlobal('addEventListener', added);

    const rig = new ClientRig();

    expect([rig.client.state.name, added.mock.calls.length]).toEqual(['idle', 0]);
  });

  it('proves a half-open connection dead long before clientTimeoutMs', async () => {
    const rig = await ClientRig.open();
    rig.server.peer.vanish();

    rig.client.connect();
    await rig.pass(10_000);

    expect(rig.client.state).toMatchObject({ name: 'waiting', reason: 'silence' });
  });
});

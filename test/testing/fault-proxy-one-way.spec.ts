import { describe, expect, it } from 'vitest';
import { DIRECTIONS, ends, setUp, turn } from './fault-rig.js';

describe('FaultProxy black hole in one direction', () => {
  it.each(DIRECTIONS)(
    'lets nothing pass %s until it is healed, and the other way all of it',
    async (silent) => {
      const { proxy, link, letTimePass } = await setUp();
      const [speaker, listener] = ends(await link(), silent);
      proxy.blackHole(silent);

      speaker.socket.write('can you hear me?');
      listener.socket.write('hello?');
      await speaker.receives(6);
      await letTimePass();
      const before = [listener.text, speaker.text];
      proxy.heal();
      await listener.receives(16);

      expect(before).toEqual(['', 'hello?']);
      expect(listener.text).toBe('can you hear me?');
    },
  );

  it.each(DIRECTIONS)(
    'keeps the end of a stream and a reset that go %s, until it is healed',
    async (silent) => {
      const { proxy, link, letTimePass } = await setUp();
      const [leaver, stayer] = ends(await link(), silent);
      const [resetter, other] = ends(await link(), silent);
      proxy.blackHole(silent);

      leaver.socket.end('bye');
      resetter.socket.resetAndDestroy();
      await letTimePass();
      const before = [stayer.events, other.events].flat();
      proxy.heal();
      await Promise.all([stayer.ended, other.closed]);

      expect(before).toEqual([]);
      expect([stayer.text, other.events]).toEqual(['bye', ['ECONNRESET', 'close']]);
    },
  );

  it('takes a new client to the target, and keeps what that answers', async () => {
    const { proxy, link, letTimePass } = await setUp();
    proxy.blackHole('toClient');

    const { client, server } = await link();
    client.socket.write('hello?');
    await server.receives(6);
    server.socket.write('hello!');
    await letTimePass();
    const before = client.receivedBytes;
    proxy.heal();
    await client.receives(6);

    expect([before, client.text]).toEqual([0, 'hello!']);
  });

  it('does not take a new client to the target while the way there is silent', async () => {
    const { proxy, dial, accepted, letTimePass } = await setUp();
    proxy.blackHole('toServer');

    await dial();
    await letTimePass();
    const before = accepted.length;
    proxy.heal();
    while (accepted.length === 0) await turn();

    expect(before).toBe(0);
  });

  it('holds for the direction that was named last, and both are healed at once', async () => {
    const { proxy, link, letTimePass } = await setUp();
    const { client, server } = await link();

    proxy.blackHole();
    client.socket.write('to the server');
    server.socket.write('to the client');
    await letTimePass();
    proxy.blackHole('toServer');
    await client.receives(13);
    const before = server.receivedBytes;
    proxy.heal();
    await server.receives(13);

    expect(before).toBe(0);
  });
});

import { describe, expect, it } from 'vitest';
import { defineChannel } from '../../lib/core/channel-definition.js';
import { Rig, say, settled } from './engine-rig.js';

const JOIN = { event: '$subscribe', acked: true, handle: () => undefined };

const PATTERNS = ['{a}', '{a}:{b}', '{tenant}:{kind}:{id}'];

async function open() {
  const channels = Object.fromEntries(PATTERNS.map((pattern) => [pattern, { subscribe: JOIN }]));
  const rig = await Rig.start({ channels });
  return rig.open();
}

describe('channels whose first segment is nestjs-channels', () => {
  it.each(['nestjs-channels', 'nestjs-channels:a', 'nestjs-channels:inspector:figures'])(
    'are closed to clients and joins by the server, whatever patterns there are: %s',
    async (channel) => {
      const peer = await open();

      say(peer, { event: '$subscribe', id: 1, data: { channel } });
      const join = peer.connection.subscriptions.join(channel);

      await expect(join).rejects.toMatchObject({ code: 'unknown_channel' });
      await settled();
      expect(peer.transport.frames.map((text) => JSON.parse(text))).toMatchObject([
        { ack: 1, error: { code: 'unknown_channel' } },
      ]);
      expect(peer.connection.subscriptions.size).toBe(0);
    },
  );

  it.each(['nestjs-channels-too', 'nestjs-channels-too:a', 'a:nestjs-channels:figures'])(
    'are no others: %s',
    async (channel) => {
      const peer = await open();

      say(peer, { event: '$subscribe', id: 1, data: { channel } });
      await settled();

      expect(peer.connection.subscriptions.has(channel)).toBe(true);
    },
  );

  it.each(['nestjs-channels', 'nestjs-channels:{a}', 'nestjs-channels:inspector:figures'])(
    'cannot be defined by an application: %s',
    (pattern) => {
      expect(() => defineChannel(pattern)).toThrow(
        `"${pattern}": names that begin with "nestjs-channels" belong to this package; ` +
          'give the pattern another first segment.',
      );
    },
  );
});

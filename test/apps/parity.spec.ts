import { describe, expect, it } from 'vitest';
import { installedApps, RawClient } from '../support/installed-app.js';

const start = installedApps('parity');

describe.each(['nest11', 'nest12'] as const)('on %s', (nest) => {
  describe.each(['express', 'fastify'] as const)('with %s', (framework) => {
    it('answers the same', async () => {
      const [stock, ours] = await Promise.all([
        start(nest, 'stock', framework),
        start(nest, 'channels', framework),
      ]);
      const frames: string[][] = [];
      for (const { port } of [stock, ours]) {
        const client = await RawClient.open(port, '/answers');
        client.send({ event: 'reply' });
        await client.received(1);
        frames.push(client.frames);
      }

      expect(frames[1]).toEqual(frames[0]);
    });
  });
});

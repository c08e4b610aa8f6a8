import type { ChannelRegistry, RegisteredChannel } from 'nestjs-channels';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SystemClock } from '../../lib/nest/system-clock.js';

/** Registries under test. */
export interface RegistryBench {
  /** Of three processes, not yet started. */
  readonly registries: readonly [ChannelRegistry, ChannelRegistry, ChannelRegistry];
  /** Resolves when a registry that was closed has been so for as long as it takes to be forgotten. */
  forgotten(): Promise<void>;
}

export interface RegistryKind {
  create(): Promise<RegistryBench> | RegistryBench;
}

const CHAT: RegisteredChannel = { pattern: 'chat:{room}', history: { size: 100, ttlMs: 300_000 } };
const NEWS: RegisteredChannel = { pattern: 'news', history: undefined };

/** What every `ChannelRegistry` promises (lib/core/channel-registry.interface.ts). */
export function channelRegistryContract(name: string, { create }: RegistryKind): void {
  async function start(): Promise<[ChannelRegistry, ChannelRegistry, ChannelRegistry, RegistryBench]> {
    const bench = await create();
    for (const registry of bench.registries) {
      await registry.start({ clock: new SystemClock(), failed: (where) => expect.unreachable(where) });
      onTestFinished(async () => registry.close());
    }
    return [...bench.registries, bench];
  }

  /** As they are compared: parameters may have any name. */
  async function read(registry: ChannelRegistry): Promise<string[]> {
    const channels = (await registry.read()).flat();
    return channels
      .map(({ pattern, history }) => `${pattern.replace(/\{\w+\}/g, '{}')} ${JSON.stringify(history)}`)
      .toSorted();
  }

  const CHAT_READ = 'chat:{} {"size":100,"ttlMs":300000}';
  const NEWS_READ = 'news undefined';

  describe(`${name} as a registry of channels`, () => {
    it('is empty where nobody has registered', async () => {
      const [one] = await start();

      expect(await one.read()).toEqual([]);
    });

    it('gives everybody what one has registered', async () => {
      const [one, other] = await start();

      await one.register([CHAT, NEWS]);

      expect([await read(one), await read(other)]).toEqual([
        [CHAT_READ, NEWS_READ],
        [CHAT_READ, NEWS_READ],
      ]);
    });

    it('gives once what several say, in whatever order', async () => {
      const [one, other, reader] = await start();

      await one.register([CHAT, NEWS]);
      await other.register([NEWS, { ...CHAT, pattern: 'chat:{name}' }]);

      expect(await read(reader)).toEqual([CHAT_READ, NEWS_READ]);
    });

    it('gives each opinion where nodes differ', async () => {
      const [one, other, reader] = await start();

      await one.register([CHAT]);
      await other.register([{ ...CHAT, history: { size: 5, ttlMs: 1_000 } }]);

      expect(await read(reader)).toEqual([CHAT_READ, 'chat:{} {"size":5,"ttlMs":1000}']);
      expect((await reader.read()).map((channels) => channels.length)).toEqual([1, 1]);
    });

    it('forgets what nobody says any more', async () => {
      const [one, other, reader, bench] = await start();
      await one.register([CHAT, NEWS]);
      await other.register([NEWS]);

      await one.close();
      await bench.forgotten();

      expect(await read(reader)).toEqual([NEWS_READ]);
    });

    it('may be closed twice', async () => {
      const [one] = await start();
      await one.register([CHAT]);

      await one.close();
      await expect(Promise.resolve(one.close())).resolves.toBe(undefined);
    });
  });
}

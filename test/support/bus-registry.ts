import type { ChannelRegistry, RegisteredChannel } from 'nestjs-channels';

/** What the processes of a test say about their channels. */
export class RegistryBus {
  readonly said = new Map<BusRegistry, readonly RegisteredChannel[]>();
  /** Whether it can be read. */
  isAway = false;
  /** How often it was. */
  reads = 0;

  registry(): BusRegistry {
    return new BusRegistry(this);
  }
}

/** Forgets at once what a process says that has ended. */
export class BusRegistry implements ChannelRegistry {
  constructor(private readonly bus: RegistryBus) {}

  start(): void {}

  register(channels: readonly RegisteredChannel[]): void {
    this.bus.said.set(this, channels);
  }

  async read(): Promise<readonly (readonly RegisteredChannel[])[]> {
    await new Promise((resolve) => setImmediate(resolve));
    this.bus.reads += 1;
    if (this.bus.isAway) throw new Error('the registry is away');
    const texts = [...this.bus.said.values()].map((channels) => {
      const shapes = channels.map(({ pattern, history }) => {
        return JSON.stringify({ pattern: pattern.replace(/\{\w+\}/g, '{p}'), history });
      });
      return `[${shapes.toSorted().join()}]`;
    });
    return [...new Set(texts)].map((text) => JSON.parse(text) as RegisteredChannel[]);
  }

  close(): void {
    this.bus.said.delete(this);
  }
}

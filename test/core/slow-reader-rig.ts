import { defineChannel, type ChannelOptions, type Overflow } from '../../lib/core/channel-definition.js';
import { DRAIN_CHECK_MS } from '../../lib/core/drain-queue.js';
import type { ObservedConnection } from '../../lib/core/observer.interface.js';
import { Rig, settled, type RigOptions } from './engine-rig.js';
import { SlowLink } from './slow-link.js';

/** What drops publications of a slow reader. */
export const SHEDDING: readonly Overflow[] = ['drop-oldest', 'latest'];

/** The bytes of a publication of `chat` whose data is a number of one digit. */
export const ONE = '{"channel":"chat","event":"said","data":1}'.length;

/** Room for four of them. */
export const MAX_OUTBOX_BYTES = 4 * ONE;

/** One reader of `chat` behind a link that takes nothing but what it is told to. */
export class Slow {
  readonly link = new SlowLink();
  readonly dropped: [string, number][] = [];
  readonly connection;

  private constructor(readonly rig: Rig) {
    this.connection = rig.open({}, this.link).connection;
  }

  get transport(): SlowLink {
    return this.link;
  }

  static async open(channel: ChannelOptions, options: RigOptions = {}): Promise<Slow> {
    const dropped: [string, number][] = [];
    const observer = {
      dropped: (_: ObservedConnection, name: string, count: number) => void dropped.push([name, count]),
    };
    const join = { subscribe: { event: '$subscribe', acked: true, handle: () => 'state' } };
    const rig = await Rig.start({
      maxOutboxBytes: MAX_OUTBOX_BYTES,
      heartbeatIntervalMs: 0,
      heartbeatTimeoutMs: 0,
      observers: [observer],
      channels: { chat: join, other: join },
      ...options,
    });
    for (const name of ['chat', 'other']) rig.engine.catalog.add(defineChannel(name, channel), 'a test');
    const slow = new Slow(rig);
    Object.assign(slow, { dropped });
    await slow.connection.subscriptions.join('chat');
    await settled();
    return slow;
  }

  /** From here on the reader takes nothing; a byte waits already. */
  stick(): void {
    this.link.isStuck = true;
    this.link.bufferedAmount = 1;
  }

  async publish(...data: readonly unknown[]): Promise<void> {
    for (const item of data) await this.rig.engine.publisher.publish('chat', 'said', item, {});
    await settled();
  }

  /** Everything is taken, and looked at. */
  async heal(): Promise<void> {
    this.link.heal();
    await this.check();
  }

  async check(): Promise<void> {
    await this.rig.clock.advance(DRAIN_CHECK_MS);
    await settled();
  }

  get state(): string {
    return this.connection.state;
  }
}

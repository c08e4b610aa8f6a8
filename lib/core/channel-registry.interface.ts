import type { HistoryRule } from './broker.interface.js';
import type { Clock } from './clock.interface.js';

/** All that a node says about its channels; nodes of the same version say the same. */
export type RegisteredChannels = readonly RegisteredChannel[];

/** What holds for publications to the channels of a pattern. */
export interface RegisteredChannel {
  readonly pattern: string;
  /** What they keep; `undefined` where they keep nothing. */
  readonly history?: HistoryRule;
}

/** The process that registers or reads. */
export interface RegistryHost {
  readonly clock: Clock;

  /** Something has failed that nobody waits for, or has come in a form that is not understood. */
  failed(where: string, error: unknown): void;
}

/**
 * Port by which nodes tell what their channels keep, and those who publish without being a node learn it.
 *
 * What a node registers is there until a minute after it has ended. While nodes differ, as in a deploy, what each of
 * them says is there.
 */
export interface ChannelRegistry {
  /** Called once, before anything else and after the broker has started. */
  start(host: RegistryHost): Promise<void> | void;

  /** Registers what this node says, for as long as it runs. Where that cannot be done now, it is done later. */
  register(channels: RegisteredChannels): Promise<void> | void;

  /**
   * What the nodes say: once what several do, and separately what differs, for which pattern fits a channel best is a
   * matter of all that a node has. Rejects with `unavailable` where that cannot be had.
   */
  read(): Promise<readonly RegisteredChannels[]> | readonly RegisteredChannels[];

  /** Ends the renewals. May be called twice. */
  close(): Promise<void> | void;
}

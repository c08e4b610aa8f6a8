import { Injectable } from '@nestjs/common';
import { Publisher } from '../core/publisher.js';

/**
 * Who does not get a publication, and by what it is known.
 *
 * @publicApi
 */
export interface PublisherOptions {
  /** The id of a connection that does not get it, usually that of the one that caused it. Not with a history. */
  readonly except?: string;

  /**
   * Publishes once: a second publication of the same key to the channel is not made while the first is in its
   * history. Only on channels with history. 1 to 255 characters, well-formed Unicode.
   */
  readonly key?: string;
}

/**
 * Publishes from a process that has no sockets: a worker, a cron job, a microservice.
 *
 * @publicApi
 */
@Injectable()
export class ChannelsPublisher {
  /** @internal */
  constructor(private readonly publisher: Publisher) {}

  /**
   * Publishes to every subscriber on every node. Resolves when the broker has accepted it, not when
   * peers received it. The data is encoded before the call returns: what changes later is not sent.
   *
   * @throws ChannelsError `bad_request` for a channel or an event that cannot be one, for data
   * without JSON, for `except` on a channel with history, `key` on one without and one that cannot be a key, and for a channel that keeps
   * something else at the nodes, whose options differ; `payload_too_large` past `maxMessageBytes`, `unavailable`
   * while the broker is away
   */
  publish(channel: string, event: string, data?: unknown, options: PublisherOptions = {}): Promise<void> {
    return this.publisher.publish(channel, event, data, options);
  }
}

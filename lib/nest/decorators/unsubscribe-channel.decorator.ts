import { SetMetadata } from '@nestjs/common';
import { defineChannel, type ChannelDefinition } from '../../core/channel-definition.js';
import { UNSUBSCRIBE_CHANNEL_METADATA } from '../metadata.js';

/**
 * Runs exactly once for each join that has succeeded, whatever ended it. `@MessageBody('reason')`
 * says what did: `unsubscribed` by the client, `replaced` by a second join, `refused` when it was
 * asked for again or took too long, `removed` by the server, `closed` with the connection. Joins by
 * the server count, too.
 *
 * After a second join the first one's `replaced` comes when the second has succeeded: count joins,
 * and do not keep a set of members that a leave deletes from.
 *
 * Pipes and interceptors run, guards do not: clean-up cannot be refused. An error is logged and
 * changes nothing for the client.
 *
 * @publicApi
 */
export function UnsubscribeChannel(channel: string | ChannelDefinition): MethodDecorator {
  const pattern = typeof channel === 'string' ? defineChannel(channel).pattern : channel.pattern;
  return SetMetadata(UNSUBSCRIBE_CHANNEL_METADATA, pattern);
}

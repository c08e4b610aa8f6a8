import { exceedsNesting } from '../codec/index.js';
import type { Broker, HistoryRule } from './broker.interface.js';
import type { ChannelCatalog } from './channel-catalog.js';
import { checkChannelName } from './channel-name.js';
import type { Clock } from './clock.interface.js';
import { ChannelsError } from './errors.js';
import { checkEventName } from './event-name.js';
import type { Observers } from './observers.js';
import type { ResolvedOptions } from './options.js';
import { checkPublicationKey } from './publication-key.js';

/** Who does not get a publication, and by what it is known. */
export interface PublicationOptions {
  /** The id of a connection that does not get it. */
  readonly except?: string;
  readonly key?: string;
}

export interface PublisherParts {
  readonly broker: Broker;
  readonly catalog: ChannelCatalog;
  readonly clock: Pick<Clock, 'now'>;
  readonly observers: Observers;
  readonly limits: Pick<ResolvedOptions, 'maxEventLength' | 'maxMessageBytes' | 'maxNesting'>;
  /** Rejects where others have another opinion of what a channel keeps. */
  readonly agree?: (channel: string, history: HistoryRule | undefined) => Promise<void>;
}

/** Hands publications to the broker, checked and encoded. */
export class Publisher {
  constructor(private readonly parts: PublisherParts) {}

  /** The data is encoded before the call returns: what changes later is not sent. */
  async publish(channel: string, event: string, data: unknown, options: PublicationOptions): Promise<void> {
    const { broker, catalog, clock, observers, limits, agree } = this.parts;
    checkChannelName(channel);
    checkEventName(event, limits.maxEventLength);
    const history = catalog.historyOf(channel);
    const { except, key } = options;
    checkFitting(channel, history, options);
    const publication = { channel, event, data: encode(data, limits), except };
    if (agree) await agree(channel, history);
    const begunAt = observers.measuresPublications ? clock.now() : undefined;
    await broker.publish(publication, history && { history, key });
    if (begunAt !== undefined) observers.accepted(clock.now() - begunAt);
    observers.published(channel, event);
  }
}

function checkFitting(
  channel: string,
  history: HistoryRule | undefined,
  { except, key }: PublicationOptions,
): void {
  if (history && except !== undefined) {
    throw new ChannelsError('bad_request', `"except" is not for ${channel}, which has a history`);
  }
  if (!history && key !== undefined) {
    throw new ChannelsError('bad_request', `"key" is not for ${channel}, which has no history`);
  }
  if (key !== undefined) checkPublicationKey(key);
}

function encode(
  data: unknown,
  { maxMessageBytes, maxNesting }: PublisherParts['limits'],
): string | undefined {
  let json: string | undefined;
  try {
    json = JSON.stringify(data) as string | undefined;
  } catch (error) {
    throw new ChannelsError('bad_request', 'the data of a publication has no JSON', { cause: error });
  }
  if (json === undefined) return undefined;
  // The frame around it is the first level.
  if (exceedsNesting(json, maxNesting - 1)) {
    const text = `the data of a publication is nested deeper than maxNesting (${maxNesting}) leaves it`;
    throw new ChannelsError('bad_request', text);
  }
  const bytes = Buffer.byteLength(json);
  if (bytes <= maxMessageBytes) return json;
  throw new ChannelsError(
    'payload_too_large',
    `the data of a publication (${bytes} bytes) is over maxMessageBytes (${maxMessageBytes})`,
  );
}

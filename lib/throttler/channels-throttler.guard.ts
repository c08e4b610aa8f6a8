import { Injectable, type ExecutionContext } from '@nestjs/common';
import { ThrottlerGuard, type ThrottlerLimitDetail } from '@nestjs/throttler';
import type { ChannelSocket } from '../core/channel-socket.js';
import { ChannelsError } from '../core/errors.js';

/** What a tracker of the application gets for a message, where it gets the request elsewhere. */
class ThrottledMessage {
  readonly headers = {};

  constructor(readonly client: ChannelSocket) {}

  /** Who is counted: a user over all connections, somebody anonymous by connection. */
  get tracker(): string {
    const { id, principal } = this.client;
    return principal === '' ? id : principal;
  }

  /** For trackers that were written for HTTP. */
  get ip(): string {
    return this.tracker;
  }
}

/** The headers of an answer, which a message has none of. */
const NO_RESPONSE = { header: (): void => undefined };

/**
 * The `ThrottlerGuard` of `@nestjs/throttler` for messages and joins, with its module, its storage and its
 * decorators: `@UseGuards(ChannelsThrottlerGuard)` on a gateway or a method of it. One message too many is answered
 * `rate_limited` with `retryAfterMs`. Counts by principal, and by connection where there is none; a `getTracker` of
 * the module is handed `{ client, headers, ip }`. On handshakes and on HTTP it is the `ThrottlerGuard` itself.
 *
 * Where `$refresh` asks channels again and it refuses one, the join goes on and is asked about once more when there is
 * room, a minute later at most: then the connection is closed with 1013 where there is none. Place it behind
 * guards that decide about rights, so that these are asked first.
 *
 * For limits that share their storage and their names with those of HTTP; `@RateLimit()` needs no other package.
 *
 * @publicApi
 */
@Injectable()
export class ChannelsThrottlerGuard extends ThrottlerGuard {
  /** The request and the response of a handshake; of a message the client, and headers that nobody gets. */
  protected override getRequestResponse(context: ExecutionContext): {
    req: Record<string, unknown>;
    res: Record<string, unknown>;
  } {
    if (context.getType() !== 'ws') return super.getRequestResponse(context);
    const message = new ThrottledMessage(context.switchToWs().getClient<ChannelSocket>());
    return { req: message as unknown as Record<string, unknown>, res: NO_RESPONSE };
  }

  /** The principal of a message, or its connection where there is none. */
  protected override getTracker(req: Record<string, unknown>): Promise<string> {
    return req instanceof ThrottledMessage ? Promise.resolve(req.tracker) : super.getTracker(req);
  }

  /** Throws `rate_limited` with `retryAfterMs` for a message. */
  protected override async throwThrottlingException(
    context: ExecutionContext,
    detail: ThrottlerLimitDetail,
  ): Promise<void> {
    if (context.getType() !== 'ws') return super.throwThrottlingException(context, detail);
    const text = await this.getErrorMessage(context, detail);
    throw new ChannelsError('rate_limited', text, { retryAfterMs: detail.timeToBlockExpire * 1_000 });
  }
}

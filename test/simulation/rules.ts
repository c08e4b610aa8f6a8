import type { ChannelsClientOptions } from '../../lib/client/client-options.js';
import { resolveOptions } from '../../lib/core/options.js';

/** What the channels of the world keep. Small, so that a short history gets past it. */
export const HISTORY = { size: 4, ttlMs: 20_000 };

/** `push` is joined by the server alone; `live` keeps nothing. */
export const CHANNELS = ['room:a', 'room:b', 'live:a', 'push:a'] as const;

export type ChannelName = (typeof CHANNELS)[number];

export function hasHistory(channel: string): boolean {
  return !channel.startsWith('live:');
}

/** How long a node may miss its renewals, from docs/protocol.md section 13. */
export const CLAIM_LEASE_MS = 30_000;

/** The client gives up so much earlier than the window ends, docs/protocol.md section 6.4. */
export const WINDOW_MARGIN_MS = 30_000;

/** Times of at least 10 s, so that the engine looks once a second; sizes that a history can reach. */
export const OPTIONS = resolveOptions({
  heartbeatIntervalMs: 10_000,
  heartbeatTimeoutMs: 12_000,
  drainTimeoutMs: 12_000,
  clientTimeoutMs: 15_000,
  handlerTimeoutMs: 10_000,
  shutdownTimeoutMs: 2_000,
  drainWindowMs: 100,
  positionCheckMs: 5_000,
  dedupWindowMs: 120_000,
  maxInFlight: 4,
  maxOutboxBytes: 2_400,
  maxDedupBytesPerPrincipal: 4_096,
  maxDedupBytes: 6_144,
  maxHistories: 3,
});

export const JOIN_BUFFER_BYTES = 400;

export const CLIENT_OPTIONS = {
  connectTimeoutMs: 3_000,
  helloTimeoutMs: 3_000,
  minRetryDelayMs: 100,
  maxRetryDelayMs: 2_000,
  stableAfterMs: 1_000,
  maxQueue: 12,
} satisfies ChannelsClientOptions;

/** Longer than a claim holds that is not renewed, so that a lapse can be seen. */
export const HANG_MS = 48_000;

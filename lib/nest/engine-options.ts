import { ADDRESS_DEFAULTS } from '../core/admission-options.js';
import type { EngineOptions } from '../core/options.js';
import type { ChannelsModuleOptions } from './channels-options.interface.js';

/**
 * The engine's part of the options. Addresses are capped where they can be told apart.
 *
 * @throws TypeError for options that would let foreign pages in, or believe headers of anybody
 */
export function engineOptions(options: ChannelsModuleOptions): EngineOptions {
  checkCookie(options);
  compressionThreshold(options);
  if (trustedHops(options) === 0) return options;
  const { maxConnectionsPerAddress, handshakesPerSecondPerAddress } = options;
  return {
    ...options,
    maxConnectionsPerAddress: maxConnectionsPerAddress ?? ADDRESS_DEFAULTS.maxConnectionsPerAddress,
    handshakesPerSecondPerAddress:
      handshakesPerSecondPerAddress ?? ADDRESS_DEFAULTS.handshakesPerSecondPerAddress,
  };
}

/**
 * The proxies in front that are trusted.
 *
 * @throws TypeError for anything but a boolean and a whole number
 */
export function trustedHops({ trustProxy = false }: ChannelsModuleOptions): number {
  const hops = Number(trustProxy);
  const isKnown = typeof trustProxy === 'boolean' || typeof trustProxy === 'number';
  if (isKnown && Number.isSafeInteger(hops) && hops >= 0) return hops;
  throw new TypeError(
    `trustProxy (${String(trustProxy)}) must be true, false or the number of proxies in front; ` +
      'names and networks, as in Express, are not known here.',
  );
}

/** What `ws` has as its default: about what fits into one packet anyway. */
const DEFAULT_THRESHOLD = 1_024;

/**
 * From how many bytes on frames are compressed; `undefined` where none is.
 *
 * @throws TypeError for anything but whole numbers, and where `ws` is told to do it, too
 */
export function compressionThreshold({ compression, server }: ChannelsModuleOptions): number | undefined {
  if (compression === undefined) return undefined;
  if (server?.['perMessageDeflate'] !== undefined) {
    throw new TypeError(
      'compression and server.perMessageDeflate exclude each other: the first compresses once for all peers, the ' +
        'second for each of them.',
    );
  }
  const { threshold = DEFAULT_THRESHOLD } = Object(compression) as NonNullable<typeof compression>;
  if (
    compression !== null &&
    typeof compression === 'object' &&
    Number.isSafeInteger(threshold) &&
    threshold >= 0
  )
    return threshold;
  throw new TypeError(
    `compression (${JSON.stringify(compression)}) must be an object such as { threshold: ${DEFAULT_THRESHOLD} }, in bytes.`,
  );
}

/** Browsers send a cookie whatever page opens the socket: the list of pages is all that protects its owner. */
function checkCookie({ tokenCookie, allowedOrigins }: ChannelsModuleOptions): void {
  if (tokenCookie === undefined || Array.isArray(allowedOrigins)) return;
  const got = allowedOrigins === undefined ? 'is not set' : `is ${JSON.stringify(allowedOrigins)}`;
  throw new TypeError(
    `tokenCookie (${JSON.stringify(tokenCookie)}) needs a list of the pages that may use it, but allowedOrigins ${got}: ` +
      "name them, allowedOrigins: ['https://app.example.com'].",
  );
}

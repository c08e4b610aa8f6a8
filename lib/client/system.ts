import type { ClientClock, ClientRandom } from './clock.interface.js';

/** How far the wall clock was ahead of the monotonic one at first, and at most. */
let firstMs: number | undefined;
let mostMs = -Infinity;

export const systemClock: ClientClock = {
  /** Monotonic, and it counts the sleep of a machine, in which `performance.now()` may stand still. */
  now() {
    const monotonicMs = performance.now();
    const aheadMs = Date.now() - monotonicMs;
    firstMs ??= aheadMs;
    mostMs = Math.max(mostMs, aheadMs);
    return monotonicMs + mostMs - firstMs;
  },
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  // A number in a browser, an object in Node.
  clearTimer: (timer) => clearTimeout(timer as number),
};

interface Crypto {
  getRandomValues(bytes: Uint8Array): Uint8Array;
}

/** @throws TypeError where there is no source of secrets */
export function systemRandom(): ClientRandom {
  const { crypto } = globalThis as { readonly crypto?: Crypto };
  if (!crypto)
    throw new TypeError('There is no crypto.getRandomValues: pass { random }, or load a polyfill.');
  return {
    next: Math.random,
    id: () => base64url(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16)))),
  };
}

/** @param binary - characters up to U+00FF, each of them one byte */
export function base64url(binary: string): string {
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

import type { ClientClock, ClientRandom } from './clock.interface.js';

/** What both browsers and Node have, and nothing of one of them only. */
interface Platform {
  readonly performance: { now(): number };
  readonly crypto?: { getRandomValues(bytes: Uint8Array): Uint8Array };
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(handle: unknown): void;
  btoa(binary: string): string;
}

const platform = globalThis as unknown as Platform;

export const systemClock: ClientClock = {
  now: () => platform.performance.now(),
  setTimeout: (callback, ms) => platform.setTimeout(callback, ms),
  clearTimer: (timer) => platform.clearTimeout(timer),
};

/** @throws TypeError where there is no source of secrets */
export function systemRandom(): ClientRandom {
  const { crypto } = platform;
  if (!crypto)
    throw new TypeError('There is no crypto.getRandomValues: pass { random }, or load a polyfill.');
  return {
    next: Math.random,
    id: () => base64url(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16)))),
  };
}

/** @param binary - characters up to U+00FF, each of them one byte */
export function base64url(binary: string): string {
  return platform.btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

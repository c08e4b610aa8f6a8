import { randomBytes } from 'node:crypto';
import type { Clock, Timer } from '../core/clock.interface.js';
import type { Random } from '../core/random.interface.js';

/** Node's own time. */
export class SystemClock implements Clock {
  now(): number {
    return performance.now();
  }

  wallNow(): number {
    return Date.now();
  }

  setTimeout(callback: () => void, ms: number): Timer {
    return setTimeout(callback, ms).unref();
  }

  setInterval(callback: () => void, ms: number): Timer {
    return setInterval(callback, ms).unref();
  }

  clearTimer(timer: Timer): void {
    clearTimeout(timer as NodeJS.Timeout);
  }

  afterTurn(callback: () => void): void {
    setImmediate(callback);
  }
}

/** 128 bits, RFC 4122's size of an unguessable id. */
const ID_BYTES = 16;

export class SystemRandom implements Random {
  next(): number {
    return Math.random();
  }

  id(): string {
    return randomBytes(ID_BYTES).toString('base64url');
  }
}

import { performance } from 'node:perf_hooks';
import type { WebSocketConstructor } from 'nestjs-channels/client';
import { expect } from 'vitest';
import { WebSocket } from 'ws';
import { Signal } from './client-signal.js';
import type { LagMeter } from './lag-meter.js';

/** Timers count whole milliseconds. */
const ROUNDING_MS = 1;

/** When a client was last told anything: to be given `WebSocket`, whose sockets write it down. */
export class Ears extends Signal {
  heardAt = 0;
  frames = 0;

  readonly WebSocket = socketsOf(() => {
    this.heardAt = performance.now();
    this.frames += 1;
    this.tell();
  });
}

function socketsOf(heard: () => void): WebSocketConstructor {
  return class extends WebSocket {
    constructor(url: string, protocols?: string[]) {
      super(url, protocols);
      this.on('message', heard);
    }
  };
}

/** Not before the time, and at most a tenth later; plus what the machine has stood still. */
export function expectInTime(ms: number, timeoutMs: number, lag: LagMeter): void {
  const earliestMs = timeoutMs - ROUNDING_MS;
  const latestMs = 1.1 * timeoutMs + lag.lostMs;
  expect(ms, `${ms.toFixed(1)} ms for ${timeoutMs} ms`).toBeGreaterThanOrEqual(earliestMs);
  expect(ms, `${ms.toFixed(1)} ms for ${timeoutMs} ms`).toBeLessThanOrEqual(latestMs);
}

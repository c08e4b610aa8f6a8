import { execFileSync } from 'node:child_process';
import { mkdtempSync, renameSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Lifetime } from './redis/lifetime.js';

/** Which clocks of the process are stepped. */
export type SteppedClocks = 'wall' | 'wall and monotonic';

/** The clock of another process, which runs under libfaketime: to be started with {@link env}. */
export class SteppedClock {
  readonly env: NodeJS.ProcessEnv;
  readonly #folder = mkdtempSync(join(tmpdir(), 'stepped-clock-'));
  readonly #file = join(this.#folder, 'offset');

  /** @param lifetime - that of the process; `onTestFinished` unless given */
  constructor(clocks: SteppedClocks = 'wall', lifetime: Lifetime = onTestFinished) {
    lifetime(() => rm(this.#folder, { recursive: true }));
    this.step(0);
    this.env = {
      // The allocator of libc comes first: that of Redis asks for the time before libfaketime can tell it.
      LD_PRELOAD: `${libfaketime()}:libc.so.6`,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_TIMESTAMP_FILE: this.#file,
      TZ: 'UTC',
      FAKETIME_DONT_FAKE_MONOTONIC: clocks === 'wall' ? '1' : '0',
    };
  }

  /** From now on the clock is off by this much from that of the machine. */
  step(offsetS: number): void {
    this.#write(`${offsetS < 0 ? '' : '+'}${offsetS}`);
  }

  /** From now on the clock stands still at this time, in milliseconds of the epoch. */
  stop(atMs: number): void {
    // Its format has no time zone, and its fraction is cut: so the middle of the millisecond.
    const seconds = new Date(atMs).toISOString().slice(0, 19).replace('T', ' ');
    this.#write(`${seconds}.${String(atMs % 1_000).padStart(3, '0')}5`);
  }

  #write(offset: string): void {
    // In one piece: the process reads the file whenever it looks at its clock.
    writeFileSync(`${this.#file}.next`, offset);
    renameSync(`${this.#file}.next`, this.#file);
  }
}

function libfaketime(): string {
  const files = execFileSync('dpkg', ['-L', 'libfaketime'], { encoding: 'utf8' }).split('\n');
  const path = files.find((file) => file.endsWith('/libfaketime.so.1'));
  if (path === undefined) throw new Error('libfaketime is not here: npm run test:system installs it.');
  return path;
}

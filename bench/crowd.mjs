// The peers of bench/listeners.mjs, seen from the bench.
import { fork } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { now } from './numbers.mjs';
import { ask, end } from './serve.mjs';

const POLL_MS = 100;

/** Processes of peers, one for each place that they connect to. */
export class Crowd {
  #processes = [];

  /** Opens `count` peers for each of the places, each from an address of its own, and adds up what became of them. */
  async open(places, { count, dialect, channel }) {
    const from = this.#processes.length;
    for (const _ of places) this.#processes.push(fork(new URL('./listeners.mjs', import.meta.url)));
    const answers = places.map(({ port }, at) => {
      const localAddress = `127.0.${from + at + 1}.1`;
      return ask(this.#processes[from + at], 'open', { port, count, dialect, channel, localAddress });
    });
    return summed(await Promise.all(answers));
  }

  reset() {
    return this.#tell('reset');
  }

  /** Resolves when everybody has this publication, or after so long all the same. */
  async has(last, withinMs) {
    const endsAt = now() + withinMs;
    while (now() < endsAt) {
      const counts = await this.#tell('behind', { last });
      if (counts.every(({ count }) => count === 0)) return;
      await sleep(POLL_MS);
    }
  }

  /** What has come since the last reset, by its delay in milliseconds. */
  async latencies() {
    const answers = await this.#tell('latencies');
    return summed(answers).latencies;
  }

  /** What has come at all, where this publication was the last one. */
  async result(last) {
    return summed(await this.#tell('result', { last }));
  }

  async end() {
    await Promise.all(this.#processes.map(end));
  }

  #tell(type, order) {
    return Promise.all(this.#processes.map((child) => ask(child, type, order)));
  }
}

/** Adds numbers, and those in objects by their keys. */
function summed(answers) {
  const sum = {};
  for (const [key, value] of answers.flatMap((answer) => Object.entries(answer))) {
    if (typeof value === 'number') sum[key] = (sum[key] ?? 0) + value;
    else if (typeof value === 'object') sum[key] = summed([sum[key] ?? {}, value]);
  }
  return sum;
}

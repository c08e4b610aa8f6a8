import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { now } from '../numbers.mjs';

/** About 120 bytes with the frame around it. */
export const DATA = { id: 42, text: 'x'.repeat(50), from: 'alice' };

/**
 * Publishes what the bench orders: `turns` has for each turn the channels that are published to in it. `everyMs` is
 * the time between two of them; without it they follow each other.
 *
 * @param publish - takes a channel and the data
 */
export function publishTurns(publish) {
  process.on('message', async ({ type, turns, everyMs = 0 }) => {
    if (type !== 'publish') return;
    let dueAt = now();
    for (const channels of turns) {
      for (const channel of channels) publish(channel, DATA);
      dueAt += everyMs;
      if (everyMs === 0) await nextTurn();
      else await sleep(Math.max(0, dueAt - now()));
    }
  });
}

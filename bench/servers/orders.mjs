import { setTimeout as sleep } from 'node:timers/promises';
import { now } from '../numbers.mjs';

/** Publishes what the bench orders: `publish(channel, data)` resolves when it is done. */
export function publishOnOrder(publish) {
  const orders = {
    /** `perBurst` in one turn, and so again every `everyMs`. */
    async bursts({ channel, bytes, first, bursts, perBurst, everyMs }) {
      const published = [];
      let dueAt = now();
      for (let burst = 0; burst < bursts; burst++) {
        await sleep(Math.max(0, dueAt - now()));
        for (let at = 0; at < perBurst; at++) {
          published.push(publish(channel, messageOf(bytes, first + burst * perBurst + at)));
        }
        dueAt += everyMs;
      }
      await Promise.all(published);
    },

    /** As fast as it goes, with so many under way. */
    async flood({ channel, bytes, total, inFlight }) {
      const data = messageOf(bytes, 1);
      let left = total;
      const lane = async () => {
        while (left-- > 0) await publish(channel, data);
      };
      const startedAt = now();
      const before = process.cpuUsage();
      await Promise.all(Array.from({ length: inFlight }, lane));
      const cpu = process.cpuUsage(before);
      return { seconds: (now() - startedAt) / 1_000, microseconds: cpu.user + cpu.system };
    },
  };
  process.on('message', async ({ type, ...order }) => {
    if (orders[type]) process.send({ type, ...(await orders[type](order)) });
  });
}

/** Data of so many bytes as JSON: a number, and when it was made. */
function messageOf(bytes, number) {
  const data = { number, at: Math.round(now()), text: '' };
  return { ...data, text: 'x'.repeat(bytes - JSON.stringify(data).length) };
}

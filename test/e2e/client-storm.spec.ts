import { performance } from 'node:perf_hooks';
import { ChannelsClient } from 'nestjs-channels/client';
import { expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { everybody, startClientApp } from '../support/client-app.js';
import { Signal } from '../support/client-signal.js';

// So many that they are a crowd, and so few that handshakes are no load: then time and chance alone are
// measured. The thousand are in test/client/reconnect-storm.spec.ts.
const CLIENTS = 300;
const OUTAGE_MS = 30_000;
const HEADSTART_MS = 2_000;
const LARGEST_SHARE = 0.12;
/** The outage, and the longest wait that may follow it. */
const TEST_TIMEOUT_MS = 110_000;

/** When a WebSocket was made. */
const attempts: number[] = [];

class CountedWebSocket extends WebSocket {
  constructor(...args: ConstructorParameters<typeof WebSocket>) {
    super(...args);
    attempts.push(performance.now());
  }
}

/** How many of the clients are open. */
class OpenClients extends Signal {
  count = 0;

  constructor(clients: readonly ChannelsClient[]) {
    super();
    for (const client of clients) {
      client.on('$state', ({ name }) => {
        this.count = clients.filter(({ state }) => state.name === 'open').length;
        if (name === 'open' || name === 'waiting') this.tell();
      });
    }
  }
}

/** The largest part of all attempts that one second sees, after the first two. */
function largestShare(from: number): number {
  const perSecond = new Map<number, number>();
  for (const at of attempts) {
    if (at - from < HEADSTART_MS) continue;
    const second = Math.floor((at - from) / 1_000);
    perSecond.set(second, (perSecond.get(second) ?? 0) + 1);
  }
  return Math.max(...perSecond.values()) / attempts.length;
}

it(
  'a crowd of clients whose server is away for 30 s spread, and are all back',
  async () => {
    const { app } = await startClientApp(everybody);
    const proxy = await app.proxy();
    const clients = Array.from(
      { length: CLIENTS },
      () => new ChannelsClient(proxy.url('/ws'), { WebSocket: CountedWebSocket }),
    );
    onTestFinished(() => clients.forEach((client) => client.close()));
    const open = new OpenClients(clients);
    for (const client of clients) client.connect();
    await open.until(() => open.count === CLIENTS);

    attempts.length = 0;
    const lostAt = performance.now();
    proxy.refuse = true;
    proxy.reset();
    await open.until(() => performance.now() - lostAt >= OUTAGE_MS);
    proxy.refuse = false;
    await open.until(() => open.count === CLIENTS);

    expect(largestShare(lostAt)).toBeLessThanOrEqual(LARGEST_SHARE);
  },
  TEST_TIMEOUT_MS,
);

import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { Acked } from 'nestjs-channels';
import type { FaultDirection, FaultProxy } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../core/engine-rig.js';
import { openClient, outcomeOf, type ClientLog, type Outcome } from '../support/client-rig.js';
import { startApp } from '../support/start-app.js';

const MESSAGES = 500;
const NUMBERS = Array.from({ length: MESSAGES }, (_, n) => n);
const ANSWERS = NUMBERS.map((n) => ({ answer: `done ${n}` }));

/** Shorter than a message and its answer on the wire, whatever its number. */
const MESSAGE_BYTES = { toServer: 60, toClient: 40 } as const;
/** Shorter than those with the handshake and the `$hello` before them. */
const CONNECT_BYTES = { toServer: 350, toClient: 500 } as const;

const TIMEOUT_MS = 60_000;

/** Two ways to do the same; `effects` has every run of either. */
@WebSocketGateway({ path: '/ws' })
class LedgerGateway {
  readonly effects: number[] = [];
  readonly #random = seededRandom(1);

  @SubscribeMessage('once')
  @Acked()
  once(@MessageBody() n: number): Promise<string> {
    return this.#run(n);
  }

  @SubscribeMessage('each copy')
  eachCopy(@MessageBody() n: number): Promise<string> {
    return this.#run(n);
  }

  /** Takes a while on both sides of its effect, so that a reset may come before, during and after it. */
  async #run(n: number): Promise<string> {
    await this.#wait();
    this.effects.push(n);
    await this.#wait();
    return `done ${n}`;
  }

  async #wait(): Promise<void> {
    for (let turns = this.#random.next() * 4; turns > 1; turns--) await new Promise(setImmediate);
  }
}

interface Run {
  readonly effects: readonly number[];
  readonly outcomes: readonly Outcome[];
}

/** Sends every message through a connection that is reset somewhere on its way. */
async function run(event: string, seed: number): Promise<Run> {
  const app = await startApp({ providers: [LedgerGateway] });
  const proxy = await app.proxy();
  const log = openClient(proxy.url('/ws'), { minRetryDelayMs: 1, maxRetryDelayMs: 4 });
  await log.reaches('open');
  const draw = seededRandom(seed);
  const sends: Promise<Outcome>[] = [];

  for (const n of NUMBERS) {
    const isConnecting = draw.next() < 0.3;
    if (isConnecting) await resetNow(proxy, log);
    const direction: FaultDirection = draw.next() < 0.5 ? 'toServer' : 'toClient';
    const bytes = (isConnecting ? CONNECT_BYTES : MESSAGE_BYTES)[direction];
    const before = log.times('waiting');
    proxy.resetAfter(Math.ceil(draw.next() * bytes), direction);
    sends.push(outcomeOf(log.client.send(event, n)));
    await log.reaches('waiting', before + 1);
    // Some pile up, so that there is an order to be kept when they are sent again.
    if (draw.next() < 0.3) await Promise.all(sends);
  }
  return { effects: app.nest.get(LedgerGateway).effects, outcomes: await Promise.all(sends) };
}

/** So that the next bytes are those of a handshake. */
async function resetNow(proxy: FaultProxy, log: ClientLog): Promise<void> {
  const before = log.times('waiting');
  await log.until(() => log.client.state.name === 'open');
  proxy.reset();
  await log.reaches('waiting', before + 1);
}

describe(`${MESSAGES} messages, and a TCP reset at a random byte for each`, () => {
  it.each([1, 2])(
    'have one effect each and in order where the handler is acked (seed %i)',
    { timeout: TIMEOUT_MS },
    async (seed) => {
      const { effects, outcomes } = await run('once', seed);

      expect(effects).toEqual(NUMBERS);
      expect(outcomes).toEqual(ANSWERS);
    },
  );

  it('have some effects twice where it is not', { timeout: TIMEOUT_MS }, async () => {
    const { effects, outcomes } = await run('each copy', 1);

    expect(outcomes).toEqual(ANSWERS);
    expect(new Set(effects)).toEqual(new Set(NUMBERS));
    expect(effects.length).toBeGreaterThan(MESSAGES);
  });
});

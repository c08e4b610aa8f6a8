import { performance } from 'node:perf_hooks';
import { HttpException, UnauthorizedException } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { everybody, startClientApp, type ClientApp } from '../support/client-app.js';
import { openClient, outcomeOf } from '../support/client-rig.js';
import type { Check } from '../support/guarded-gateway.js';
import { LagMeter } from '../support/lag-meter.js';

/** Tokens of which only the newest is good. */
class Tokens {
  /** What a client was asked for, each time: whether it had to be a fresh one. */
  readonly asked: boolean[] = [];
  #newest = 1;
  #held = 1;

  readonly check: Check = (request) => {
    if (request.headers.authorization !== `Bearer token-${this.#newest}`) throw new UnauthorizedException();
    request.user = { sub: 'ann' };
    return true;
  };

  readonly source = async ({ refresh }: { readonly refresh: boolean }): Promise<string> => {
    this.asked.push(refresh);
    if (refresh) this.#held = this.#newest;
    return `token-${this.#held}`;
  };

  /** From here on the token that the client has is refused. */
  expire(): void {
    this.#newest += 1;
  }

  /** What the client gets for a fresh one is refused as well. */
  readonly staleSource = async ({ refresh }: { readonly refresh: boolean }): Promise<string> => {
    this.asked.push(refresh);
    return 'token-1';
  };
}

/** Ends all connections so that the clients come back with the token that they have. */
function disconnectAll({ app }: ClientApp): Promise<unknown> {
  return app.channels.disconnect({ principal: 'ann' }, { reconnect: true });
}

describe('a client whose token has expired', () => {
  it('asks for a fresh one exactly once, and sends what waits', async () => {
    const tokens = new Tokens();
    const server = await startClientApp(tokens.check);
    const log = openClient(server.url, { token: tokens.source });
    await log.reaches('open');

    tokens.expire();
    await disconnectAll(server);
    await log.reaches('waiting');
    const answers = await Promise.all(['a', 'b'].map((text) => log.client.send('say', text)));

    expect(tokens.asked).toEqual([false, false, true]);
    expect(answers).toEqual(['heard a', 'heard b']);
    expect(server.desk.dataOf('say')).toEqual(['a', 'b']);
    expect(log.states.slice(3).map(({ name, reason }) => `${name} ${reason}`)).toEqual([
      'connecting retry',
      'connecting token_refused',
      'open welcomed',
    ]);
  });

  it('asks for none where the old one still holds', async () => {
    const tokens = new Tokens();
    const server = await startClientApp(tokens.check);
    const log = openClient(server.url, { token: tokens.source });
    await log.reaches('open');

    await disconnectAll(server);
    await log.reaches('open', 2);

    expect(tokens.asked).toEqual([false, false]);
  });

  it('gives up when the fresh one is refused as well, and asks no more', async () => {
    const tokens = new Tokens();
    const server = await startClientApp(tokens.check);
    const log = openClient(server.url, { token: tokens.staleSource });
    await log.reaches('open');

    tokens.expire();
    await disconnectAll(server);
    await log.reaches('waiting');
    const waits = await outcomeOf(log.client.send('say', 'never'));

    expect(waits).toEqual({ code: 'closed', closeCode: 4501 });
    expect(tokens.asked).toEqual([false, false, true]);
    expect(server.desk.dataOf('say')).toEqual([]);
  });

  it('is refreshed again after a stable connection', async () => {
    const tokens = new Tokens();
    const server = await startClientApp(tokens.check);
    const log = openClient(server.url, { token: tokens.source, stableAfterMs: 0 });

    for (const opened of [1, 2, 3]) {
      await log.reaches('open', opened);
      // Its answer comes after the timer of 0 ms.
      await log.client.send('say', `${opened}`);
      tokens.expire();
      await disconnectAll(server);
    }
    await log.reaches('open', 4);

    expect(tokens.asked).toEqual([false, false, true, false, true, false, true]);
  });

  it('cannot ask again where the token is a text', async () => {
    const tokens = new Tokens();
    const server = await startClientApp(tokens.check);
    tokens.expire();

    const log = openClient(server.url, { token: 'token-1' });

    expect(await log.reaches('closed')).toMatchObject({ code: 4501 });
    expect(log.times('connecting')).toBe(1);
  });
});

describe('a client that is told to come back later', () => {
  const WAIT_MS = 1_000;

  /** Refuses the first handshake with 429, and writes down when handshakes came. */
  function busyOnce(at: number[], headers: Readonly<Record<string, string>>): Check {
    return (request, response) => {
      at.push(performance.now());
      if (at.length > 1) return everybody(request, response);
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
      throw new HttpException('busy', 429);
    };
  }

  it('honours Retry-After', async () => {
    const at: number[] = [];
    const { url } = await startClientApp(busyOnce(at, { 'Retry-After': '1' }));
    const lag = new LagMeter();

    const log = openClient(url);
    const waiting = await log.reaches('waiting');
    await log.reaches('open');

    const [first = NaN, second = NaN] = at;
    expect(waiting).toMatchObject({ reason: 'closed_by_server', code: 4429, ordered: true });
    expect(waiting.delayMs).toBeGreaterThanOrEqual(WAIT_MS);
    expect(second - first).toBeGreaterThanOrEqual(WAIT_MS);
    expect(second - first).toBeLessThanOrEqual(1.1 * WAIT_MS + lag.lostMs);
  });

  it('comes back at its own pace without one', async () => {
    const at: number[] = [];
    const { url } = await startClientApp(busyOnce(at, {}));
    const lag = new LagMeter();

    const log = openClient(url);
    const waiting = await log.reaches('waiting');
    await log.reaches('open');

    const [first = NaN, second = NaN] = at;
    expect(waiting).toMatchObject({ code: 4429, ordered: false });
    expect(second - first).toBeLessThan(WAIT_MS / 2 + lag.lostMs);
  });

  it('does not hurry for messages meanwhile', async () => {
    const at: number[] = [];
    const { url } = await startClientApp(busyOnce(at, { 'Retry-After': '1' }));
    const log = openClient(url);
    await log.reaches('waiting');

    const answers = await Promise.all([1, 2, 3].map((n) => log.client.send('say', `${n}`)));

    expect(answers).toEqual(['heard 1', 'heard 2', 'heard 3']);
    expect(at).toHaveLength(2);
    expect((at[1] ?? NaN) - (at[0] ?? NaN)).toBeGreaterThanOrEqual(WAIT_MS);
  });
});

import type { Broker } from 'nestjs-channels';
import type { TestClient } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { Bus } from '../support/bus-broker.js';
import { NodesBus, type BusNodes } from '../support/bus-nodes.js';
import { Deferred } from '../support/deferred.js';
import { isPending } from '../support/pending.js';
import { TokenRig, tokenOf } from '../support/token-rig.js';

const HOUR_MS = 3_600_000;

/** What the handshake of a client that names no protocol of ours is answered with. */
async function statusOf(rig: TokenRig, token: string): Promise<unknown> {
  return rig.app
    .connect('/ws', { token, protocols: [] })
    .then((client) => client.close())
    .then(
      () => 101,
      (error: { statusCode: number }) => error.statusCode,
    );
}

describe('revoke', () => {
  it('closes the connections of a user with 4503, and those of nobody else', async () => {
    const rig = await TokenRig.start();
    const ada = [await rig.enter(60), await rig.enter(90)];
    const bob = await rig.enter(60, { sub: 'bob' });

    const answer = await rig.app.channels.revoke({ principal: 'ada' });

    expect(answer).toEqual({ disconnected: 2, nodes: { expected: 1, answered: 1, missing: [] } });
    expect((await Promise.all(ada.map(({ closed }) => closed))).map(({ code }) => code)).toEqual([
      4503, 4503,
    ]);
    expect((await bob.request('who')).data).toMatchObject({ sub: 'bob' });
  });

  it('keeps a revoked user out: a client of ours gets 4503, another 403', async () => {
    const rig = await TokenRig.start();
    const token = rig.token(60);
    await rig.app.channels.revoke({ principal: 'ada' });

    const ours = await rig.app.connect('/ws', { token });

    expect(await ours.closed).toMatchObject({ code: 4503 });
    expect(await statusOf(rig, token)).toBe(403);
  });

  it('goes by a claim of the user', async () => {
    const rig = await TokenRig.start();
    const here = await rig.enter(60, { sid: 's1' });
    const there = await rig.enter(60, { sid: 's2' });

    await rig.app.channels.revoke({ claim: { name: 'sid', value: 's1' } });

    expect(await here.closed).toMatchObject({ code: 4503 });
    expect(await isPending(there.closed)).toBe(true);
    expect(await statusOf(rig, rig.token(60, { sid: 's1', iat: 0 }))).toBe(403);
    expect(await statusOf(rig, rig.token(60, { sid: 's2', iat: 0 }))).toBe(101);
  });

  it('goes by the claims of session where it gives some, and by nothing that every object has', async () => {
    const session = () => ({ principal: 'ada', claims: { device: 'phone' } });
    const rig = await TokenRig.start({ session });
    const client = await rig.enter(60, { sid: 's1' });

    const answers = [
      await rig.app.channels.revoke({ claim: { name: 'sid', value: 's1' } }),
      await rig.app.channels.revoke({ claim: { name: 'constructor', value: 'x' } }),
      await rig.app.channels.revoke({ claim: { name: 'device', value: 'phone' } }),
    ];

    expect(answers.map(({ disconnected }) => disconnected)).toEqual([0, 0, 1]);
    expect(await client.closed).toMatchObject({ code: 4503 });
  });

  it('lets in what was issued later, and not what does not say when', async () => {
    const rig = await TokenRig.start();
    const old = rig.token(600);
    await rig.app.channels.revoke({ principal: 'ada' });

    await rig.clock.advance(2_000);
    const statuses = [
      await statusOf(rig, old),
      await statusOf(rig, tokenOf({ sub: 'ada' })),
      await statusOf(rig, rig.token(600)),
    ];

    expect(statuses).toEqual([403, 403, 101]);
  });

  it('is remembered until its end', async () => {
    const rig = await TokenRig.start();
    const token = tokenOf({ sub: 'ada' });
    await rig.app.channels.revoke({ principal: 'ada' }, { until: rig.clock.wallNow() + HOUR_MS });

    rig.clock.stepWall(HOUR_MS - 1);
    const before = await statusOf(rig, token);
    rig.clock.stepWall(1);

    expect([before, await statusOf(rig, token)]).toEqual([403, 101]);
  });

  it('is remembered for revocationTtlMs unless it says otherwise, and takes a Date', async () => {
    const rig = await TokenRig.start({ revocationTtlMs: 60_000 });
    await rig.app.channels.revoke({ principal: 'ada' });
    await rig.app.channels.revoke({ principal: 'bob' }, { until: new Date(rig.clock.wallNow() + HOUR_MS) });

    rig.clock.stepWall(60_000);

    expect(await statusOf(rig, tokenOf({ sub: 'ada' }))).toBe(101);
    expect(await statusOf(rig, tokenOf({ sub: 'bob' }))).toBe(403);
  });

  it('is remembered as long as the longest session lasts that was seen', async () => {
    const rig = await TokenRig.start();
    const token = rig.token(30 * 24 * 3_600);
    await rig.app.connect('/ws', { token });
    await rig.app.channels.revoke({ principal: 'ada' });

    await rig.clock.advance(25 * HOUR_MS);

    expect(await statusOf(rig, token)).toBe(403);
  });

  it('refuses the $refresh of somebody who was revoked while the guards ran', async () => {
    const rig = await TokenRig.start();
    const client = await rig.enter(60);
    const opens = new Deferred<void>();
    rig.desk.opens = opens.promise;
    const answer = client.request('$refresh', { token: rig.token(60) }).catch(() => 'none');
    await client.request('who');

    await rig.app.channels.revoke({ principal: 'ada' });
    opens.resolve();

    expect(await client.closed).toMatchObject({ code: 4503 });
    expect(await answer).toBe('none');
  });

  it('refuses a handshake whose guards began before', async () => {
    const rig = await TokenRig.start();
    const opens = new Deferred<void>();
    rig.desk.opens = opens.promise;
    const status = statusOf(rig, rig.token(60));

    await rig.app.channels.revoke({ principal: 'ada' });
    opens.resolve();

    expect(await status).toBe(403);
  });

  it('closes with 4503 by $refresh where the new token has a claim that is revoked', async () => {
    const rig = await TokenRig.start();
    const client = await rig.enter(60, { sid: 's1' });
    await rig.app.channels.revoke({ claim: { name: 'sid', value: 's2' } });

    const { error } = await client.request('$refresh', { token: rig.token(60, { sid: 's2', iat: 0 }) });

    expect(error).toMatchObject({ code: 'forbidden' });
    expect(await client.closed).toMatchObject({ code: 4503 });
  });

  it('remembers maxRevocations; one more closes, and rejects with limit_exceeded', async () => {
    const rig = await TokenRig.start({ maxRevocations: 2 });
    const client = await rig.enter(60);
    await rig.app.channels.revoke({ principal: 'bob' }, { until: rig.clock.wallNow() + 1_000 });
    await rig.app.channels.revoke({ principal: 'eve' });
    // No third one.
    await rig.app.channels.revoke({ principal: 'eve' });

    const rejected = rig.app.channels.revoke({ principal: 'ada' });

    await expect(rejected).rejects.toMatchObject({ code: 'limit_exceeded' });
    expect(await client.closed).toMatchObject({ code: 4503 });
    expect(await statusOf(rig, tokenOf({ sub: 'ada' }))).toBe(101);
    // Nobody was forgotten for it; what has ended makes room.
    expect(await statusOf(rig, tokenOf({ sub: 'eve' }))).toBe(403);
    rig.clock.stepWall(1_000);
    await rig.app.channels.revoke({ principal: 'ada' });
    expect(await statusOf(rig, tokenOf({ sub: 'ada' }))).toBe(403);
  });

  it.each([
    [{}, undefined],
    [{ principal: '' }, undefined],
    [{ principal: 5 }, undefined],
    [{ claim: { name: '', value: 'x' } }, undefined],
    [{ claim: { name: 'sid' } }, undefined],
    [{ principal: 'ada', claim: { name: 'sid', value: 'x' } }, undefined],
    [{ principal: 'ada' }, Number.NaN],
    [{ principal: 'ada' }, new Date('never')],
    // In seconds, as `exp` is.
    [{ principal: 'ada' }, Math.round(Date.now() / 1_000) + 3_600],
    [undefined, undefined],
  ])('is a bad_request for %o until %o', async (target, until) => {
    const rig = await TokenRig.start();
    const client = await rig.enter(60);

    const rejected = rig.app.channels.revoke(target as never, { until });

    await expect(rejected).rejects.toMatchObject({ code: 'bad_request' });
    expect(await isPending(client.closed)).toBe(true);
  });

  it('takes a principal of 1,024 characters, and none of one more', async () => {
    const rig = await TokenRig.start();

    const { disconnected } = await rig.app.channels.revoke({ principal: 'x'.repeat(1_024) });
    const rejected = rig.app.channels.revoke({ principal: 'x'.repeat(1_025) });

    expect(disconnected).toBe(0);
    await expect(rejected).rejects.toMatchObject({ code: 'bad_request' });
  });
});

describe('revoke on several nodes', () => {
  async function startTwo(): Promise<[TokenRig, TokenRig, BusNodes]> {
    const bus = new Bus();
    const nodes = new NodesBus();
    const [here, there] = [nodes.node(), nodes.node()];
    const broker = (own: BusNodes): Broker => Object.assign(bus.node(), { nodes: own });
    const one = await TokenRig.start({ broker: broker(here), maxRevocations: 1, controlTimeoutMs: 100 });
    const two = await TokenRig.start(
      { broker: broker(there), maxRevocations: 1, controlTimeoutMs: 100 },
      one.clock,
    );
    return [one, two, there];
  }

  it('closes and keeps out on all of them', async () => {
    const [one, two] = await startTwo();
    const clients: TestClient[] = [await one.enter(60), await two.enter(60)];

    const answer = await one.app.channels.revoke({ principal: 'ada' });

    expect(answer).toEqual({ disconnected: 2, nodes: { expected: 2, answered: 2, missing: [] } });
    expect((await Promise.all(clients.map(({ closed }) => closed))).map(({ code }) => code)).toEqual([
      4503, 4503,
    ]);
    expect(await statusOf(two, tokenOf({ sub: 'ada' }))).toBe(403);
  });

  it('remembers nowhere what has no room, and closes everywhere', async () => {
    const [one, two] = await startTwo();
    const client = await two.enter(60);
    await one.app.channels.revoke({ principal: 'eve' });

    await expect(one.app.channels.revoke({ principal: 'ada' })).rejects.toMatchObject({
      code: 'limit_exceeded',
    });

    expect(await client.closed).toMatchObject({ code: 4503 });
    expect(await statusOf(two, tokenOf({ sub: 'ada' }))).toBe(101);
  });
});

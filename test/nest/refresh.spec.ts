import { expect, it } from 'vitest';
import { Deferred } from '../support/deferred.js';
import { isPending } from '../support/pending.js';
import { TokenRig, tokenOf } from '../support/token-rig.js';

it('goes on under a new token, behind the end of the old one', async () => {
  const rig = await TokenRig.start();
  const client = await rig.enter(60);
  await rig.clock.advance(50_000);

  const answer = await client.request('$refresh', { token: rig.token(60) });
  await rig.clock.advance(30_000);
  const behind = await isPending(client.closed);
  await rig.clock.advance(31_000);

  expect(answer.data).toEqual({ expiresInMs: 60_000 });
  expect(behind).toBe(true);
  expect(await client.closed).toMatchObject({ code: 4401 });
});

it('gives handlers the new user', async () => {
  const rig = await TokenRig.start();
  const client = await rig.enter(60, { rooms: ['a'] });

  await client.request('$refresh', { token: rig.token(60, { rooms: ['a', 'b'] }) });

  expect((await client.request('who')).data).toMatchObject({ sub: 'ada', rooms: ['a', 'b'] });
});

it('shows the guards the request of the handshake, with the new token alone', async () => {
  const seen: object[] = [];
  const rig = await TokenRig.start({
    session: ({ url, headers, rawHeaders, params, ip, user }) => {
      seen.push({ url, headers, raw: rawHeaders.join(' '), params, ip });
      return { principal: (user as { sub: string }).sub };
    },
  });
  const first = rig.token(60);
  const client = await rig.app.connect('/ws?a=1', { token: first, headers: { 'x-tenant': 'acme' } });
  const second = rig.token(90);

  await client.request('$refresh', { token: second });

  const [before, after] = seen as [Record<string, any>, Record<string, any>];
  expect(after).toMatchObject({ url: '/ws?a=1', ip: before['ip'], params: {} });
  expect(after['headers']).toEqual({ ...before['headers'], authorization: `Bearer ${second}` });
  expect(JSON.stringify(after)).not.toContain(first);
  expect(after['raw']).toContain('x-tenant acme');
});

it.each([
  ['refused', 'refused', 'unauthorized'],
  ['that has ended', tokenOf({ sub: 'ada', exp: 1 }), 'unauthorized'],
])('answers a token %s with an error, and goes on until the old one ends', async (_what, token, code) => {
  const rig = await TokenRig.start();
  const client = await rig.enter(60);

  const { error } = await client.request('$refresh', { token });
  const alive = await client.request('who');
  await rig.clock.advance(61_000);

  expect(error).toMatchObject({ code, retryable: false });
  expect(alive.data).toMatchObject({ sub: 'ada' });
  expect(await client.closed).toMatchObject({ code: 4401 });
});

it('refuses the token of another principal, and closes with 4401', async () => {
  const rig = await TokenRig.start();
  const client = await rig.enter(60);

  const { error } = await client.request('$refresh', { token: rig.token(60, { sub: 'eve' }) });

  expect(error).toMatchObject({ code: 'forbidden' });
  expect(await client.closed).toMatchObject({ code: 4401 });
  expect(rig.desk.seen).toEqual([]);
});

it.each([
  ['no object', 'canary'],
  ['without a token', { key: 'canary' }],
  ['with a token that is no text', { token: ['canary'] }],
  ['with a token that no header can have', { token: 'canary\r\nx: y' }],
  ['with an empty token', { token: '' }],
])('answers data %s with bad_request, and does not repeat it', async (_what, data) => {
  const rig = await TokenRig.start();
  const client = await rig.enter(60);

  const answer = await client.request('$refresh', data);

  expect(answer.error).toMatchObject({ code: 'bad_request' });
  expect(JSON.stringify(answer)).not.toContain('canary');
});

it('is a bad_request where the session does not end', async () => {
  const rig = await TokenRig.start();
  const client = await rig.app.connect('/ws', { token: tokenOf({ sub: 'ada' }) });

  const { error } = await client.request('$refresh', { token: rig.token(60) });

  expect(error).toMatchObject({ code: 'bad_request' });
});

it('runs one at a time, and at most one a second', async () => {
  const rig = await TokenRig.start();
  const client = await rig.enter(60);
  const opens = new Deferred<void>();
  rig.desk.opens = opens.promise;

  const first = client.request('$refresh', { token: rig.token(60) });
  const second = await client.request('$refresh', { token: rig.token(60) });
  opens.resolve();
  const answer = await first;
  await rig.clock.advance(999);
  const third = await client.request('$refresh', { token: rig.token(60) });
  await rig.clock.advance(1);
  const fourth = await client.request('$refresh', { token: rig.token(60) });

  expect(second.error).toMatchObject({ code: 'rate_limited', retryAfterMs: 1_000 });
  expect(third.error).toMatchObject({ code: 'rate_limited', retryAfterMs: 1 });
  expect([answer, fourth].map(({ data }) => data)).toEqual([
    { expiresInMs: 60_000 },
    { expiresInMs: 60_000 },
  ]);
});

it('gives the guards handshakeTimeoutMs', async () => {
  const rig = await TokenRig.start({ handshakeTimeoutMs: 2_000 });
  const client = await rig.enter(60);
  rig.desk.opens = new Promise(() => undefined);

  const answer = client.request('$refresh', { token: rig.token(60) });
  await client.request('who');
  await rig.clock.advance(2_000);

  expect((await answer).error).toMatchObject({ code: 'unavailable', retryable: true, retryAfterMs: 1_000 });
  expect(await isPending(client.closed)).toBe(true);
});

it('holds nothing up: messages and publications go on under the old token', async () => {
  const rig = await TokenRig.start();
  const client = await rig.enter(60);
  await client.subscribe('room:a');
  const opens = new Deferred<void>();
  rig.desk.opens = opens.promise;

  const answer = client.request('$refresh', { token: rig.token(60) });
  const counted = await client.request('count', 1);
  await rig.app.channels.publish('room:a', 'news', 1);
  const publication = await client.waitFor({ channel: 'room:a', data: 1 });
  const isRunning = await isPending(answer);
  opens.resolve();

  expect([counted.data, publication['offset'], isRunning]).toEqual([1, 1, true]);
  expect((await answer).data).toEqual({ expiresInMs: 60_000 });
});

it('closes at the end of the old token while the guards still run', async () => {
  const rig = await TokenRig.start();
  const client = await rig.enter(10);
  rig.desk.opens = new Promise(() => undefined);
  const answer = client.request('$refresh', { token: rig.token(60) }).catch(() => 'no answer');
  await client.request('who');

  await rig.clock.advance(11_000).catch(() => undefined);

  expect(await Promise.race([client.closed, answer.then(() => client.closed)])).toMatchObject({ code: 4401 });
});

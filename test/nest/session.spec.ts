import { Logger } from '@nestjs/common';
import type { ChannelsModuleOptions } from 'nestjs-channels';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { guardedGateway } from '../support/guarded-gateway.js';
import { recordRefusals, refusalOf } from '../support/refusals.js';
import { startApp } from '../support/start-app.js';

const PLAIN = { protocols: [] };
const SENTENCE =
  'A handshake guard has set a user without a usable principal: ' +
  'give it a "sub", "id" or "userId", or set the option "session".';

/** Lets everybody in as `user`. */
const as = (user: unknown): ReturnType<typeof guardedGateway> =>
  guardedGateway((request) => {
    request.user = user;
    return true;
  });

type SessionOption = NonNullable<ChannelsModuleOptions['session']>;

async function principalOf(user: unknown, session?: SessionOption): Promise<unknown> {
  const app = await startApp({ providers: [as(user)], channels: { session } });
  const client = await app.connect('/ws');
  return ((await client.request('whoami')).data as { principal: unknown }).principal;
}

describe('the principal', () => {
  it.each([
    ['sub', { sub: 'ann', id: 'b', userId: 'c' }, 'ann'],
    ['id, without sub', { id: 'bob', userId: 'c' }, 'bob'],
    ['userId, without both', { userId: 'cid', name: 'Cid' }, 'cid'],
    ['id, where sub is null', { sub: null, id: 'bob' }, 'bob'],
    ['a number as its decimal text', { id: 42 }, '42'],
    ['0', { id: 0 }, '0'],
    [
      'what a class inherits',
      new (class {
        get sub(): string {
          return 'dan';
        }
      })(),
      'dan',
    ],
  ])('is %s', async (_what, user, principal) => {
    expect(await principalOf(user)).toBe(principal);
  });

  it.each([undefined, null])('is empty when the guard has set %s for a user', async (user) => {
    expect(await principalOf(user)).toBe('');
  });
});

describe('a user without a usable principal', () => {
  afterEach(() => vi.restoreAllMocks());

  it.each([
    {},
    { name: 'ann' },
    { sub: '' },
    { sub: '', id: 'bob' },
    { id: true },
    { id: { nested: 1 } },
    { sub: ['ann'] },
    { id: Number.NaN },
    { id: Number.POSITIVE_INFINITY },
    'ann',
    7,
    true,
    false,
    [],
  ])('is refused with 500 and a sentence that says so: %j', async (user) => {
    const { observer, refusals } = recordRefusals();
    const app = await startApp({ providers: [as(user)], channels: { observers: [observer] } });

    const refusal = await refusalOf(app.connect('/ws', PLAIN));

    expect(refusal).toMatchObject({ statusCode: 500, body: { statusCode: 500, message: SENTENCE } });
    expect(refusals).toMatchObject([{ status: 500, advice: SENTENCE }]);
  });

  it('closes a client of ours with 1011, and the log has the sentence', async () => {
    const app = await startApp({ providers: [as({ name: 'ann' })], channels: { logFormat: 'text' } });
    const warn = vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);

    const client = await app.connect('/ws');

    expect(await client.closed).toEqual({ code: 1011, reason: '' });
    expect(warn).toHaveBeenCalledExactlyOnceWith(expect.stringContaining(SENTENCE));
  });
});

describe('the option session', () => {
  it.each<[string, SessionOption]>([
    ['at once', ({ user }) => ({ principal: `user:${String((user as { name: string }).name)}` })],
    ['in its time', async ({ user }) => ({ principal: `user:${String((user as { name: string }).name)}` })],
  ])('says the principal %s', async (_when, session) => {
    expect(await principalOf({ name: 'ann' }, session)).toBe('user:ann');
  });

  it('may say that somebody is anonymous', async () => {
    expect(await principalOf({ name: 'ann' }, () => ({ principal: '' }))).toBe('');
  });

  it('is asked about requests without a user, too', async () => {
    expect(
      await principalOf(undefined, ({ query }) => ({ principal: `guest${String(query['n'] ?? '')}` })),
    ).toBe('guest');
  });

  it.each([undefined, null, {}, { principal: 7 }, { principal: undefined }, 'ann'])(
    'refuses with 500 and is reported when it gives %j',
    async (nonsense) => {
      const { observer, failures } = recordRefusals();
      const session = (() => nonsense) as unknown as SessionOption;
      const app = await startApp({
        providers: [as({ sub: 'ann' })],
        channels: { session, observers: [observer] },
      });

      const refusal = await refusalOf(app.connect('/ws', PLAIN));

      expect([refusal.statusCode, refusal.body]).toEqual([
        500,
        { statusCode: 500, message: 'Internal server error' },
      ]);
      expect(failures).toEqual([{ where: 'the handshake', error: expect.any(TypeError) }]);
      expect(String(failures[0]?.error)).toContain('session must give { principal: string }');
    },
  );

  it('refuses with 500 and is reported when it throws', async () => {
    const { observer, failures } = recordRefusals();
    const error = new Error('no directory');
    const session: SessionOption = () => Promise.reject(error);
    const app = await startApp({
      providers: [as({ sub: 'ann' })],
      channels: { session, observers: [observer] },
    });

    const client = await app.connect('/ws');

    expect(await client.closed).toEqual({ code: 1011, reason: '' });
    expect(failures).toEqual([{ where: 'the handshake', error }]);
  });
});

import { Injectable } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import { TokenHandshakeGuard, UseHandshakeGuards } from 'nestjs-channels';
import { TestClock } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { timesOfToken, tokenTimes } from '../../lib/nest/token-times.js';
import { startApp } from '../support/start-app.js';
import { tokenOf } from '../support/token-rig.js';

describe('the times of a token', () => {
  it('are those of exp and iat, in milliseconds', () => {
    expect(tokenTimes({ exp: 2, iat: 1.5 })).toEqual({ expiresAt: 2_000, issuedAt: 1_500 });
    expect(timesOfToken(tokenOf({ exp: 2, iat: 1 }))).toEqual({ expiresAt: 2_000, issuedAt: 1_000 });
  });

  it.each([undefined, null, 'text', {}, { exp: '2' }, { exp: Number.NaN }, []])(
    'are none of %j',
    (claims) => {
      expect(tokenTimes(claims)).toEqual({ expiresAt: undefined, issuedAt: undefined });
    },
  );

  it.each(['', 'opaque', 'a.b', 'a.b.c', '..', `a.${Buffer.from('null').toString('base64url')}.c`])(
    'are none of %j',
    (token) => {
      expect(timesOfToken(token)).toEqual({});
    },
  );
});

/** Makes something of its own of a token, as a look-up in a database does. */
@Injectable()
class RowGuard extends TokenHandshakeGuard {
  authenticate(): object {
    return { id: 7 };
  }
}

@WebSocketGateway({ path: '/ws' })
@UseHandshakeGuards(RowGuard)
class RowGateway {}

it('are taken from the token where the user that a guard gives has none', async () => {
  const clock = new TestClock();
  const app = await startApp({ providers: [RowGateway, RowGuard], clock });
  const exp = Math.ceil(clock.wallNow() / 1_000) + 60;

  const client = await app.connect('/ws', { token: tokenOf({ sub: 'ann', exp }) });
  await client.hello();
  await clock.advance(62_000);

  expect(await client.closed).toMatchObject({ code: 4401 });
});

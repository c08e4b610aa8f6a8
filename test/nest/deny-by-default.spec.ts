import { Injectable } from '@nestjs/common';
import { JwtModule, JwtService } from '@nestjs/jwt';
import { WebSocketGateway } from '@nestjs/websockets';
import { TokenHandshakeGuard, UseHandshakeGuards, type ChannelsModuleOptions } from 'nestjs-channels';
import { createChannelsTestApp } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { WhoamiGateway } from '../support/guarded-gateway.js';
import { recordRefusals, refusalOf } from '../support/refusals.js';
import { readTree } from '../support/repository.js';
import { startApp } from '../support/start-app.js';

@Injectable()
class JwtGuard extends TokenHandshakeGuard {
  constructor(private readonly jwt: JwtService) {
    super();
  }

  authenticate(token: string): Promise<object> {
    return this.jwt.verifyAsync(token);
  }
}

@WebSocketGateway({ path: '/ws' })
@UseHandshakeGuards(JwtGuard)
class Gateway extends WhoamiGateway {}

/** Why an application with these options does not start. */
async function refusalOfStart(channels: unknown): Promise<unknown> {
  const starting = createChannelsTestApp({ channels: channels as ChannelsModuleOptions });
  const outcome: unknown = await starting.catch((error: unknown) => error);
  return outcome instanceof TypeError ? outcome.message : outcome;
}

describe('the start', () => {
  it.each([
    ['is not set', {}],
    ['is "*"', { allowedOrigins: '*' }],
  ])('refuses a token in a cookie where allowedOrigins %s, and says what to set', async (what, channels) => {
    expect(await refusalOfStart({ ...channels, tokenCookie: 'session' })).toBe(
      `tokenCookie ("session") needs a list of the pages that may use it, but allowedOrigins ${what}: ` +
        "name them, allowedOrigins: ['https://app.example.com'].",
    );
  });

  it('takes a token in a cookie with a list', async () => {
    const app = await startApp({
      channels: { tokenCookie: 'session', allowedOrigins: ['https://app.example.com'] },
    });

    expect(app.port).toBeGreaterThan(0);
  });

  it.each(['loopback', '10.0.0.0/8', -1, 1.5, Number.NaN, null, {}])(
    'refuses trustProxy: %j, which is no number of proxies',
    async (trustProxy) => {
      expect(await refusalOfStart({ trustProxy })).toMatch(
        /^trustProxy \(.*\) must be true, false or the number of proxies in front; /,
      );
    },
  );
});

describe('a guard whose secret is missing', () => {
  const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from('{"sub":"ada"}').toString('base64url')}.`;
  const signed = new JwtService({ secret: 'anything' }).sign({ sub: 'ada' });

  it.each([
    ['signed by somebody', signed, 500],
    ['not signed', unsigned, 401],
  ])('lets no token in that is %s', async (_what, token, statusCode) => {
    const { observer, failures } = recordRefusals();
    const app = await startApp({
      imports: [JwtModule.register({})],
      providers: [JwtGuard, Gateway],
      channels: { observers: [observer] },
    });

    const refusal = await refusalOf(app.connect('/ws', { protocols: [], token }));

    expect(refusal.statusCode).toBe(statusCode);
    // 401 is what the peer is to blame for; the secret is not.
    expect(failures).toHaveLength(statusCode === 500 ? 1 : 0);
  });
});

it('does the same whatever NODE_ENV says, also nothing, but for an inspector without a guard', () => {
  const asking = [...readTree('lib', '.ts')].filter(([, text]) => /process\.env/.test(text));

  expect(asking.map(([path]) => path)).toEqual(['lib/inspector/inspector.module.ts']);
});

import { Injectable, type Type } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { JwtModule, JwtService } from '@nestjs/jwt';
import { AuthGuard, PassportModule, PassportStrategy } from '@nestjs/passport';
import { WebSocketGateway } from '@nestjs/websockets';
import { UseHandshakeGuards } from 'nestjs-channels';
import type { ChannelsTestApp, TestClientOptions } from 'nestjs-channels/testing';
import { ExtractJwt, Strategy } from 'passport-jwt';
import { describe, expect, it } from 'vitest';
import { WhoamiGateway } from '../support/guarded-gateway.js';
import { HTTP_FRAMEWORKS } from '../support/http-frameworks.js';
import { refusalOf } from '../support/refusals.js';
import { startApp } from '../support/start-app.js';

const SECRET = 'a secret of this file';

interface Claims {
  readonly sub: string;
  readonly role: string;
}

/** As the documentation of Nest has it. */
@Injectable()
class JwtStrategy extends PassportStrategy(Strategy) {
  constructor() {
    super({ jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(), secretOrKey: SECRET });
  }

  validate({ sub, role }: Claims): object {
    return { userId: sub, role };
  }
}

@WebSocketGateway({ path: '/ws' })
@UseHandshakeGuards(AuthGuard('jwt'))
class GuardedByJwt extends WhoamiGateway {}

/** Takes tokens, but also clients that have none. */
@Injectable()
class OptionalJwtGuard extends AuthGuard('jwt') {
  override handleRequest<User>(_error: unknown, user: User | false): User {
    return (user || undefined) as User;
  }
}

@WebSocketGateway({ path: '/ws' })
@UseHandshakeGuards(OptionalJwtGuard)
class OpenToAll extends WhoamiGateway {}

const PAGE = 'https://app.example.com';

interface Rig {
  readonly app: ChannelsTestApp;
  readonly sign: (claims: object, expiresIn?: number) => string;
}

async function start(gateway: Type, httpAdapter?: () => AbstractHttpAdapter): Promise<Rig> {
  const app = await startApp({
    httpAdapter,
    imports: [PassportModule, JwtModule.register({ secret: SECRET })],
    providers: [JwtStrategy, gateway],
    channels: { tokenCookie: 'session', allowedOrigins: [PAGE] },
  });
  const jwt = app.nest.get(JwtService, { strict: false });
  return { app, sign: (claims, expiresIn = 60) => jwt.sign(claims, { expiresIn }) };
}

const WHERE: readonly (readonly [string, (token: string, origin: string) => TestClientOptions])[] = [
  ['the header', (token) => ({ token })],
  ['the subprotocol', (token) => ({ bearer: token })],
  ['a cookie', (token, origin) => ({ headers: { cookie: `session=${token}` }, origin })],
];

describe.each(HTTP_FRAMEWORKS)("AuthGuard('jwt') with %s", (_name, httpAdapter) => {
  it.each(WHERE)('lets a token in that stands in %s', async (_where, toOptions) => {
    const { app, sign } = await start(GuardedByJwt, httpAdapter);
    const token = sign({ sub: 'ann', role: 'admin' });

    const client = await app.connect('/ws', toOptions(token, PAGE));

    expect((await client.request('whoami')).data).toMatchObject({
      user: { userId: 'ann', role: 'admin' },
      principal: 'ann',
    });
  });

  it.each(WHERE)('refuses an expired token in %s with 401', async (_where, toOptions) => {
    const { app, sign } = await start(GuardedByJwt, httpAdapter);
    const options = toOptions(sign({ sub: 'ann' }, -1), PAGE);

    const client = await app.connect('/ws', options);

    expect(await client.closed).toEqual({ code: 4501, reason: '' });
  });
});

describe("AuthGuard('jwt')", () => {
  it.each<[string, TestClientOptions]>([
    ['no token', {}],
    ['nonsense', { token: 'nonsense' }],
    ['Basic', { headers: { authorization: 'Basic dXNlcjpwYXNz' } }],
  ])('answers %s with 401 and the body of Nest', async (_what, options) => {
    const { app } = await start(GuardedByJwt);

    const refusal = await refusalOf(app.connect('/ws', { ...options, protocols: [] }));

    expect([refusal.statusCode, refusal.body]).toEqual([401, { statusCode: 401, message: 'Unauthorized' }]);
  });

  it('refuses a token that another secret has signed', async () => {
    const { app } = await start(GuardedByJwt);
    const token = new JwtService({ secret: 'another one' }).sign({ sub: 'ann' });

    expect(await refusalOf(app.connect('/ws', { token, protocols: [] }))).toMatchObject({ statusCode: 401 });
  });

  it('refuses a token in a cookie that comes without an Origin', async () => {
    const { app, sign } = await start(GuardedByJwt);
    const headers = { cookie: `session=${sign({ sub: 'ann' })}` };

    expect(await refusalOf(app.connect('/ws', { headers }))).toMatchObject({ statusCode: 403 });
  });

  it('serves as a base for a guard that also lets clients in without a token', async () => {
    const { app, sign } = await start(OpenToAll);

    const known = await app.connect('/ws', { token: sign({ sub: 'ann' }) });
    const anonymous = await app.connect('/ws');

    expect((await known.request('whoami')).data).toMatchObject({ principal: 'ann' });
    expect((await anonymous.request('whoami')).data).toMatchObject({ principal: '' });
  });
});

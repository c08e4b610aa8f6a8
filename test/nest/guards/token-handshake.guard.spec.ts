import { ForbiddenException, Injectable, type Type } from '@nestjs/common';
import { JwtModule, JwtService } from '@nestjs/jwt';
import { WebSocketGateway } from '@nestjs/websockets';
import { TokenHandshakeGuard, UseHandshakeGuards, type HandshakeRequest } from 'nestjs-channels';
import type { ChannelsTestApp, TestClientOptions } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { WhoamiGateway } from '../../support/guarded-gateway.js';
import { recordRefusals, refusalOf, type RefusalRecorder } from '../../support/refusals.js';
import { startApp } from '../../support/start-app.js';

const SECRET = 'a secret of this file';

interface User {
  readonly sub: string;
}

type Authenticate = (
  token: string,
  request: HandshakeRequest,
) => User | null | undefined | Promise<User | null>;

/** A gateway behind a guard that turns tokens into users as the test says. */
function gatewayWith(authenticate: Authenticate): Type {
  @Injectable()
  class ScriptedGuard extends TokenHandshakeGuard<User> {
    authenticate(token: string, request: HandshakeRequest): ReturnType<Authenticate> {
      return authenticate(token, request);
    }
  }

  @WebSocketGateway({ path: '/ws' })
  @UseHandshakeGuards(ScriptedGuard)
  class Gateway extends WhoamiGateway {}

  return Gateway;
}

@Injectable()
class JwtGuard extends TokenHandshakeGuard<User> {
  constructor(private readonly jwt: JwtService) {
    super();
  }

  authenticate(token: string): Promise<User> {
    return this.jwt.verifyAsync<User>(token);
  }
}

@WebSocketGateway({ path: '/ws' })
@UseHandshakeGuards(JwtGuard)
class JwtGateway extends WhoamiGateway {}

interface Rig extends RefusalRecorder {
  readonly app: ChannelsTestApp;
}

async function start(gateway: Type): Promise<Rig> {
  const recorder = recordRefusals();
  const app = await startApp({
    imports: [JwtModule.register({ secret: SECRET })],
    providers: [gateway],
    channels: { observers: [recorder.observer] },
  });
  return { app, ...recorder };
}

async function refusedBy(
  authenticate: Authenticate,
  options: TestClientOptions = { token: 't' },
): Promise<unknown> {
  const { app, failures } = await start(gatewayWith(authenticate));
  const { statusCode, body } = await refusalOf(app.connect('/ws', { ...options, protocols: [] }));
  return { statusCode, body, reported: failures.map(({ error }) => error) };
}

const unauthorized = (message: string): object => ({
  statusCode: 401,
  body: { statusCode: 401, message, error: 'Unauthorized' },
  reported: [],
});

const failure = (properties: object): Error => Object.assign(new Error('inner words'), properties);

describe('TokenHandshakeGuard', () => {
  it('turns the token into the user', async () => {
    const asked: unknown[] = [];
    const { app } = await start(
      gatewayWith((token, { url }) => {
        asked.push(token, url);
        return { sub: 'ann' };
      }),
    );

    const client = await app.connect('/ws?a=1', { bearer: 'the-token' });

    expect(asked).toEqual(['the-token', '/ws?a=1']);
    expect((await client.request('whoami')).data).toMatchObject({ user: { sub: 'ann' }, principal: 'ann' });
  });

  it.each<[string, TestClientOptions]>([
    ['no token', {}],
    ['Basic', { headers: { authorization: 'Basic dXNlcjpwYXNz' } }],
    ['Bearer without a token', { headers: { authorization: 'Bearer ' } }],
    ['two words for a token', { headers: { authorization: 'Bearer two words' } }],
  ])('refuses %s with 401 and does not ask', async (_what, options) => {
    const asked: string[] = [];
    const outcome = await refusedBy((token) => (asked.push(token), { sub: 'ann' }), options);

    expect(outcome).toEqual(unauthorized('a token is required'));
    expect(asked).toEqual([]);
  });

  it.each<[string, Authenticate]>([
    ['null', () => null],
    ['undefined', () => undefined],
    ['a promise of null', () => Promise.resolve(null)],
  ])('refuses with 401 when the token stands for %s', async (_what, authenticate) => {
    expect(await refusedBy(authenticate)).toEqual(unauthorized('the token was refused'));
  });

  it.each([
    { name: 'JsonWebTokenError' },
    { name: 'TokenExpiredError' },
    { name: 'NotBeforeError' },
    { code: 'ERR_JWT_EXPIRED' },
    { code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED' },
    { code: 'ERR_JWE_DECRYPTION_FAILED' },
    { code: 'ERR_JOSE_ALG_NOT_ALLOWED' },
  ])('refuses with 401, and reports nothing, when a JWT library throws %j', async (properties) => {
    const outcome = await refusedBy(() => Promise.reject(failure(properties)));

    expect(outcome).toEqual(unauthorized('the token was refused'));
  });

  it.each([{}, { name: 'TypeError' }, { code: 'ECONNREFUSED' }, { code: 17 }])(
    'refuses with 500 and reports what else is thrown, as %j',
    async (properties) => {
      const error = failure(properties);

      const outcome = await refusedBy(() => Promise.reject(error));

      expect(outcome).toEqual({
        statusCode: 500,
        body: { statusCode: 500, message: 'Internal server error' },
        reported: [error],
      });
    },
  );

  it('keeps the status of an HttpException', async () => {
    const outcome = await refusedBy(() => {
      throw new ForbiddenException('banned');
    });

    expect(outcome).toMatchObject({ statusCode: 403, body: { message: 'banned' }, reported: [] });
  });
});

describe('TokenHandshakeGuard with @nestjs/jwt', () => {
  it('lets a token in that holds', async () => {
    const { app } = await start(JwtGateway);
    const token = app.nest.get(JwtService, { strict: false }).sign({ sub: 'ann' });

    const client = await app.connect('/ws', { bearer: token });

    expect((await client.request('whoami')).data).toMatchObject({ principal: 'ann' });
  });

  it.each([
    ['has expired', (jwt: JwtService) => jwt.sign({ sub: 'ann' }, { expiresIn: -1 })],
    ['is not valid yet', (jwt: JwtService) => jwt.sign({ sub: 'ann' }, { notBefore: 60 })],
    ['another secret has signed', (jwt: JwtService) => jwt.sign({ sub: 'ann' }, { secret: 'another' })],
    ['nobody has signed', () => 'e30.e30.'],
    ['is nonsense', () => 'nonsense'],
  ])('refuses a token that %s with 401, and reports nothing', async (_what, sign) => {
    const { app, failures } = await start(JwtGateway);
    const token = sign(app.nest.get(JwtService, { strict: false }));

    const client = await app.connect('/ws', { bearer: token });

    expect(await client.closed).toEqual({ code: 4501, reason: '' });
    expect(failures).toEqual([]);
  });
});

import {
  ForbiddenException,
  Headers,
  HttpException,
  Ip,
  Param,
  ParseIntPipe,
  Query,
  Req,
  type Type,
} from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import { OnHandshake, UseHandshakeGuards, type HandshakeRequest } from 'nestjs-channels';
import { of, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  CheckGuard,
  WhoamiGateway,
  type HandshakeResponse,
  type Whoami,
} from '../../support/guarded-gateway.js';
import { refusalOf } from '../../support/refusals.js';
import { startApp } from '../../support/start-app.js';

const PLAIN = { protocols: [] };

@WebSocketGateway({ path: '/rooms/:room' })
class RoomGateway extends WhoamiGateway {
  @OnHandshake()
  open(
    @Param('room', ParseIntPipe) room: number,
    @Query('color') color: string,
    @Query() query: object,
    @Headers('X-Device') device: string,
    @Ip() ip: string,
    @Req() request: HandshakeRequest,
  ): object {
    return { room, color, query, device, ip, url: request.url };
  }
}

/** What a client's `data` is that connects to this gateway. */
async function dataOf(gateway: Type, path = '/ws'): Promise<unknown> {
  const app = await startApp({ providers: [gateway] });
  const client = await app.connect(path);
  return ((await client.request('whoami')).data as Whoami).data;
}

/** A gateway whose handshake method does what the test says. */
function gatewayThat(open: (request: HandshakeRequest, response: HandshakeResponse) => unknown): Type {
  @WebSocketGateway({ path: '/ws' })
  class Opened extends WhoamiGateway {
    @OnHandshake()
    open(request: HandshakeRequest, response: HandshakeResponse): unknown {
      return open(request, response);
    }
  }

  return Opened;
}

describe('OnHandshake', () => {
  it('takes the parameter decorators of HTTP', async () => {
    const app = await startApp({ providers: [RoomGateway] });

    const client = await app.connect('/rooms/7?color=red&n=1&n=2', { headers: { 'x-device': 'phone' } });

    expect(((await client.request('whoami')).data as Whoami).data).toEqual({
      room: 7,
      color: 'red',
      query: { color: 'red', n: ['1', '2'] },
      device: 'phone',
      ip: '127.0.0.1',
      url: '/rooms/7?color=red&n=1&n=2',
    });
  });

  it('refuses with 400 what a pipe does not take', async () => {
    const app = await startApp({ providers: [RoomGateway] });

    const refusal = await refusalOf(app.connect('/rooms/seven', PLAIN));
    const client = await app.connect('/rooms/seven');

    expect([refusal.statusCode, refusal.body]).toMatchObject([
      400,
      { statusCode: 400, error: 'Bad Request' },
    ]);
    expect(await client.closed).toMatchObject({ code: 4503 });
  });

  it('hands the request and the response to a method without parameter decorators', async () => {
    const gateway = gatewayThat(({ url }, response) => [url, typeof response.setHeader]);

    expect(await dataOf(gateway, '/ws?a')).toEqual(['/ws?a', 'function']);
  });

  it.each([
    ['a value', () => 'lobby'],
    ['a promise', () => Promise.resolve('lobby')],
    ['an Observable, the last value of it,', () => of('hall', 'lobby')],
  ])('makes %s that it returns the data of the client', async (_what, open) => {
    expect(await dataOf(gatewayThat(open))).toBe('lobby');
  });

  it('refuses with what it throws, and with the headers that it has set', async () => {
    const gateway = gatewayThat((_request, response) => {
      response.setHeader('Retry-After', '3');
      throw new HttpException('full', 503);
    });
    const app = await startApp({ providers: [gateway] });

    const refusal = await refusalOf(app.connect('/ws', PLAIN));
    const client = await app.connect('/ws');

    expect(refusal).toMatchObject({
      statusCode: 503,
      headers: { 'retry-after': '3' },
      body: { message: 'full' },
    });
    expect(await client.closed).toEqual({ code: 1013, reason: '{"retryAfterMs":3000}' });
  });

  it('refuses with what its Observable fails with', async () => {
    const failing = throwError(() => new ForbiddenException('not you'));
    const app = await startApp({ providers: [gatewayThat(() => failing)] });

    const refusal = await refusalOf(app.connect('/ws', PLAIN));

    expect(refusal).toMatchObject({ statusCode: 403, body: { message: 'not you' } });
  });

  it('refuses with 500 when its promise rejects with anything else', async () => {
    const app = await startApp({ providers: [gatewayThat(() => Promise.reject(new Error('no database')))] });

    const refusal = await refusalOf(app.connect('/ws', PLAIN));

    expect([refusal.statusCode, JSON.stringify(refusal.body)]).toEqual([
      500,
      '{"statusCode":500,"message":"Internal server error"}',
    ]);
  });

  it('runs after the handshake guards of its gateway, and not when they say no', async () => {
    const ran: unknown[] = [];

    @WebSocketGateway({ path: '/ws' })
    @UseHandshakeGuards(
      new CheckGuard((request) => {
        request.user = { id: 1 };
        return request.query['no'] === undefined;
      }),
    )
    class Guarded {
      @OnHandshake()
      open(@Req() { user }: HandshakeRequest): void {
        ran.push(user);
      }
    }
    const app = await startApp({ providers: [Guarded] });

    await app.connect('/ws');
    const refused = await app.connect('/ws?no=1');

    expect(await refused.closed).toMatchObject({ code: 4503 });
    expect(ran).toEqual([{ id: 1 }]);
  });
  it.each([
    ['returns data', 'attic', 'attic'],
    ['returns nothing', undefined, 'lobby'],
  ])('of two gateways keeps the data of the first unless the second %s', async (_what, second, data) => {
    const app = await startApp({ providers: [gatewayThat(() => 'lobby'), gatewayThat(() => second)] });

    const client = await app.connect('/ws');
    client.send({ event: 'whoami', id: 1 });

    expect(await client.waitFor({ ack: 1 })).toMatchObject({ data: { data } });
  });
});

import { ForbiddenException, Injectable } from '@nestjs/common';
import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import {
  Acked,
  ChannelParam,
  ChannelSocket,
  SubscribeChannel,
  TokenHandshakeGuard,
  UnsubscribeChannel,
  UseHandshakeGuards,
  type ChannelsModuleOptions,
} from 'nestjs-channels';
import { TestClock, type ChannelsTestApp, type TestClient } from 'nestjs-channels/testing';
import { Deferred } from './deferred.js';
import { startApp } from './start-app.js';

/** What a token of these tests says; `exp` and `iat` in seconds. */
export interface Claims {
  readonly sub: string;
  readonly exp?: number;
  readonly iat?: number;
  readonly sid?: string;
  readonly rooms?: readonly string[];
}

/** In the form of a JWT, signed by nobody. */
export function tokenOf(claims: object): string {
  return ['{}', JSON.stringify(claims), 'signature']
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.');
}

/** What the guards and methods of an application have seen; lets a test hold them up. */
@Injectable()
export class Desk {
  readonly seen: string[] = [];
  /** What a guard waits for. */
  opens: Promise<unknown> = Promise.resolve();
  /** What the method of a channel does besides. */
  decide: (room: string) => unknown = () => undefined;
}

@Injectable()
export class ClaimsGuard extends TokenHandshakeGuard<Claims> {
  constructor(private readonly desk: Desk) {
    super();
  }

  async authenticate(token: string): Promise<Claims | null> {
    await this.desk.opens;
    if (token === 'refused') return null;
    return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Claims;
  }
}

@WebSocketGateway({ path: '/ws' })
@UseHandshakeGuards(ClaimsGuard)
export class TokenGateway {
  constructor(private readonly desk: Desk) {}

  @SubscribeChannel('room:{room}', { history: true })
  join(
    @ChannelParam('room') room: string,
    @ConnectedSocket() { user }: ChannelSocket<Claims>,
    @MessageBody() params: unknown,
  ): unknown {
    this.desk.seen.push(`join ${room} ${JSON.stringify(params)}`);
    if (user.rooms?.includes(room) === false) throw new ForbiddenException('not your room');
    return this.desk.decide(room);
  }

  @UnsubscribeChannel('room:{room}')
  leave(@ChannelParam('room') room: string, @MessageBody('reason') reason: string): void {
    this.desk.seen.push(`leave ${room} ${reason}`);
  }

  @SubscribeMessage('count')
  @Acked()
  count(@MessageBody() data: unknown): unknown {
    this.desk.seen.push(`count ${String(data)}`);
    return data;
  }

  /** The server takes the client into a channel. */
  @SubscribeMessage('enter')
  async enter(
    @ConnectedSocket() client: ChannelSocket<Claims>,
    @MessageBody() channel: string,
  ): Promise<void> {
    await client.subscribe(channel);
  }

  @SubscribeMessage('who')
  who(@ConnectedSocket() { user, principal }: ChannelSocket<Claims>): unknown {
    return { sub: user.sub, rooms: user.rooms, principal };
  }
}

/** An application whose users have tokens that end, and time that a test moves. */
export class TokenRig {
  constructor(
    readonly app: ChannelsTestApp,
    readonly clock: TestClock,
  ) {}

  static async start(channels: ChannelsModuleOptions = {}, clock = new TestClock()): Promise<TokenRig> {
    const app = await startApp({ providers: [TokenGateway, ClaimsGuard, Desk], channels, clock });
    return new TokenRig(app, clock);
  }

  get desk(): Desk {
    return this.app.nest.get(Desk);
  }

  /** Of ada, unless the claims say otherwise, from now and for so many seconds. */
  token(seconds: number, claims: Partial<Claims> = {}): string {
    const iat = this.clock.wallNow() / 1_000;
    return tokenOf({ sub: 'ada', iat, exp: iat + seconds, ...claims });
  }

  /** Holds the methods of channels up until it is settled. */
  holdUp(): Deferred<void> {
    const decided = new Deferred<void>();
    this.desk.decide = () => decided.promise;
    return decided;
  }

  /** A client with such a token, which has said who it is. */
  async enter(seconds: number, claims: Partial<Claims> = {}): Promise<TestClient> {
    const client = await this.app.connect('/ws', { token: this.token(seconds, claims) });
    await client.hello();
    return client;
  }
}

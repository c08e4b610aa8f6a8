import { setImmediate as nextTurn } from 'node:timers/promises';
import { HttpException } from '@nestjs/common';
import { WebSocketGateway, type OnGatewayConnection } from '@nestjs/websockets';
import {
  ChannelSocket,
  defineChannel,
  SubscribeChannel,
  UseHandshakeGuards,
  type ChannelsModuleOptions,
  type HandshakeRequest,
} from 'nestjs-channels';
import {
  TestClock,
  type ChannelsTestApp,
  type TestClient,
  type TestClientOptions,
} from 'nestjs-channels/testing';
import { Engine } from '../../lib/core/engine.js';
import { Audit } from './audit.js';
import { CheckGuard, WhoamiGateway } from './guarded-gateway.js';
import { RawSocket, upgradeRequest } from './raw-socket.js';
import { RecordingObserver } from './recording-observer.js';
import { startAudited } from './start-app.js';

/** More than the buffers of the kernel and the outbox take: 20 MB. */
const MESSAGES = 400;
const TEXT = 'x'.repeat(50_000);

/** Longer than any default time of the server's. */
const MOST_SECONDS = 300;

/** The query of a handshake says how it fares: `?status=401`, `?fails`, `?holds`, `?exp=1`. */
async function check(request: HandshakeRequest): Promise<boolean> {
  const { status, fails, holds, exp, iat } = request.query;
  if (status !== undefined) throw new HttpException('no', Number(status));
  if (fails !== undefined) throw new Error('a broken guard');
  if (holds !== undefined) await new Promise(() => undefined);
  request.user = { sub: 'ada', exp: exp && Number(exp), iat: iat && Number(iat) };
  return true;
}

@WebSocketGateway({ path: '/ws' })
@UseHandshakeGuards(new CheckGuard(check))
class AuditedGateway extends WhoamiGateway implements OnGatewayConnection<ChannelSocket> {
  handleConnection(_client: ChannelSocket, request?: { readonly url?: string }): void {
    if (request?.url?.includes('breaks')) throw new Error('a broken handleConnection');
  }

  @SubscribeChannel(defineChannel('feed:{name}'))
  join(): void {}

  @SubscribeChannel(defineChannel('ticker:{name}', { overflow: 'drop-oldest' }))
  joinTicker(): void {}
}

/** An audited application, and peers that it fares with in all ways that there are. */
export class AuditRig {
  private constructor(
    readonly app: ChannelsTestApp,
    readonly audit: Audit,
    readonly clock: TestClock,
    readonly observer: RecordingObserver,
  ) {}

  static async start(channels: ChannelsModuleOptions = {}): Promise<AuditRig> {
    const clock = new TestClock();
    const observer = new RecordingObserver();
    const options = { ...channels, observers: [observer] };
    const audit = new Audit({ clock, providers: [AuditedGateway], channels: options });
    return new AuditRig(await startAudited(audit), audit, clock, observer);
  }

  get engine(): Engine {
    return this.app.nest.get(Engine);
  }

  /** A client that is let in. */
  async enter(query = '', options?: TestClientOptions): Promise<TestClient> {
    const client = await this.app.connect(`/ws?${query}`, options);
    await client.request('whoami');
    return client;
  }

  /** A client that is not, whichever way it is told. */
  async knock(path: string, options: TestClientOptions = { protocols: [] }): Promise<void> {
    const client = await this.app.connect(path, options).catch(() => undefined);
    await client?.closed;
  }

  /** A peer that writes bytes behind its upgrade. */
  async raw(...bytes: readonly Uint8Array[]): Promise<RawSocket> {
    const socket = await RawSocket.connect(this.app.port);
    socket.write(upgradeRequest('/ws'));
    await socket.until(() => socket.response.head !== '');
    socket.write(...bytes);
    return socket;
  }

  /** Publishes more than a client takes that does not read. */
  async flood(channel: string): Promise<void> {
    const client = await this.enter();
    await client.subscribe(channel);
    client.pause();
    for (let at = 0; at < MESSAGES && this.observer.closes.length === 0; at++) {
      await this.app.channels.publish(channel, 'item', TEXT);
      await nextTurn();
    }
  }

  /** Lets time pass, second by second, until it is done: what comes over a socket comes when it comes. */
  async tickUntil(done: Promise<unknown>): Promise<void> {
    const isDone = done.then(() => true);
    for (let second = 0, isOver = false; second < MOST_SECONDS && !isOver; second++) {
      isOver = await Promise.race([isDone, this.clock.advance(1_000).then(() => false)]);
    }
    await done;
  }

  /** Resolves when so many connections have ended. */
  ended(count = 1): Promise<void> {
    return this.observer.until(({ closes }) => closes.length >= count);
  }
}

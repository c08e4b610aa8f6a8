import { ConnectedSocket, MessageBody, WebSocketGateway } from '@nestjs/websockets';
import {
  ChannelSocket,
  defineChannel,
  SubscribeChannel,
  type Broker,
  type ChannelsModuleOptions,
} from 'nestjs-channels';
import { TestClock, type ChannelsTestApp, type TestClient } from 'nestjs-channels/testing';
import { Arrivals } from './arrivals.js';
import { framesOf } from './room.js';
import { startApp } from './start-app.js';

/** Of `small`: two events do not fit. */
const SMALL_BUFFER_BYTES = 80;

const hall = defineChannel('hall', { presence: true });
const kept = defineChannel('kept', { presence: true, history: true });
const small = defineChannel('small', { presence: true, joinBufferBytes: SMALL_BUFFER_BYTES });
const smallKept = defineChannel('small-kept', {
  presence: true,
  history: true,
  joinBufferBytes: SMALL_BUFFER_BYTES,
});

/** Channels with presence; their method waits where the client says so. */
@WebSocketGateway({ path: '/ws' })
export class HallGateway {
  readonly sockets = new Arrivals<ChannelSocket>();
  readonly waiting = new Arrivals<(end?: Error) => void>();

  handleConnection(client: ChannelSocket): void {
    this.sockets.add(client);
  }

  @SubscribeChannel(hall)
  join(@MessageBody() wait: unknown, @ConnectedSocket() _client: ChannelSocket): Promise<void> | void {
    if (wait !== 'wait') return;
    return new Promise((resolve, reject) => {
      this.waiting.add((error) => (error ? reject(error) : resolve()));
    });
  }

  @SubscribeChannel(kept)
  joinKept(@MessageBody() wait: unknown, @ConnectedSocket() client: ChannelSocket): Promise<void> | void {
    return this.join(wait, client);
  }

  @SubscribeChannel(small)
  joinSmall(@MessageBody() wait: unknown, @ConnectedSocket() client: ChannelSocket): Promise<void> | void {
    return this.join(wait, client);
  }

  @SubscribeChannel(smallKept)
  joinSmallKept(
    @MessageBody() wait: unknown,
    @ConnectedSocket() client: ChannelSocket,
  ): Promise<void> | void {
    return this.join(wait, client);
  }

  @SubscribeChannel('plain')
  joinPlain(): void {}
}

/** An application whose clients say who they are by their url. */
export class Hall {
  readonly clock = new TestClock();
  /** The codes of the connections that have ended. */
  readonly ends = new Arrivals<number>();
  app!: ChannelsTestApp;

  /** @param time - `real` where the broker needs it */
  static async start(
    options: ChannelsModuleOptions = {},
    time: 'stands still' | 'real' = 'stands still',
  ): Promise<Hall> {
    const rig = new Hall();
    rig.app = await startApp({
      providers: [HallGateway],
      clock: time === 'real' ? undefined : rig.clock,
      channels: {
        session: ({ url = '' }) => ({ principal: new URL(url, 'ws://here').searchParams.get('user') ?? '' }),
        observers: [{ closed: (_connection, code) => rig.ends.add(code) }],
        ...options,
      },
    });
    return rig;
  }

  get gateway(): HallGateway {
    return this.app.nest.get(HallGateway);
  }

  connect(user = ''): Promise<TestClient> {
    return this.app.connect(`/ws?user=${user}`);
  }

  /** A connection of somebody, in the channel. */
  async enter(user: string, channel = 'hall'): Promise<TestClient> {
    const client = await this.connect(user);
    await client.subscribe(channel);
    return client;
  }

  /** Lets the connection end, and waits until the server knows. */
  async end(client: TestClient, code?: number): Promise<void> {
    if (code === undefined) client.terminate();
    else void client.close(code);
    await this.ends.next();
  }
}

export interface Told {
  readonly channel: string;
  readonly event: string;
  readonly data: unknown;
}

/** What a client has been told of who comes and goes, as `$join ada 1`. */
export async function toldTo(client: TestClient): Promise<string[]> {
  const frames = (await framesOf(client)) as {
    event?: string;
    data: { principal: string; connections: number };
  }[];
  return frames
    .filter(({ event }) => event === '$join' || event === '$leave')
    .map(({ event, data }) => `${event} ${data.principal} ${data.connections}`);
}

/** The connections of everybody in a channel, as a client is told. */
export async function membersOf(client: TestClient, channel = 'hall'): Promise<Record<string, number>> {
  const { data, error } = await client.request('$presence', { channel });
  if (error) throw new Error(error.message);
  const { members } = data as { members: { principal: string; connections: number }[] };
  return Object.fromEntries(members.map(({ principal, connections }) => [principal, connections]));
}

/** A broker in memory whose presence is another one. */
export function withPresence(broker: Broker, presence: Broker['presence']): Broker {
  return Object.assign(broker, { presence });
}

import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { FaultProxy, type FaultDirection, type FaultProxyOptions } from '../../lib/testing/fault-proxy.js';

/** One end of a connection, with a record of all that happened to it. */
export class Peer {
  readonly events: string[] = [];
  readonly ended: Promise<void>;
  readonly closed: Promise<void>;
  readonly #chunks: Buffer[] = [];
  #receivedBytes = 0;

  constructor(readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#receivedBytes += chunk.length;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => this.events.push(error.code ?? error.message));
    this.ended = this.#record('end');
    this.closed = this.#record('close');
    onTestFinished(() => void socket.destroy());
  }

  get received(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  get text(): string {
    return this.received.toString();
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  async receives(bytes: number): Promise<void> {
    while (this.receivedBytes < bytes) await once(this.socket, 'data');
  }

  #record(event: 'end' | 'close'): Promise<void> {
    return new Promise((resolve) => {
      this.socket.once(event, () => {
        this.events.push(event);
        resolve();
      });
    });
  }
}

export interface Setup {
  readonly proxy: FaultProxy;
  /** Server sides that have been accepted so far. */
  readonly accepted: readonly Peer[];
  /** Connects through the proxy; the server side is in `accepted` as soon as the target has heard of it. */
  dial(): Promise<Peer>;
  /** Both ends of a new connection. */
  link(): Promise<{ client: Peer; server: Peer }>;
  /** Real traffic on a healthy path to the same server: outlasts whatever would have come by itself. */
  letTimePass(): Promise<void>;
}

export async function setUp(random?: FaultProxyOptions['random']): Promise<Setup> {
  const accepted: Peer[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => accepted.push(new Peer(socket)));
  const echo = createServer((socket) => socket.pipe(socket));
  for (const each of [server, echo]) await once(each.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => [server, echo].forEach((each) => each.close()));
  const proxy = await startProxy((server.address() as AddressInfo).port, random);
  const healthy = await dialTo((echo.address() as AddressInfo).port);
  const setup: Setup = {
    proxy,
    accepted,
    dial: () => dialTo(proxy.port),
    link: async () => {
      const index = accepted.length;
      const client = await setup.dial();
      while (accepted.length <= index) await turn();
      return { client, server: accepted[index] as Peer };
    },
    letTimePass: async () => {
      for (let round = 0; round < 50; round += 1) {
        healthy.socket.write('.');
        await once(healthy.socket, 'data');
      }
    },
  };
  return setup;
}

export async function startProxy(port: number, random?: FaultProxyOptions['random']): Promise<FaultProxy> {
  const proxy = await FaultProxy.start({ target: { port }, random });
  onTestFinished(() => proxy.close());
  return proxy;
}

export async function dialTo(port: number): Promise<Peer> {
  const peer = new Peer(connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true }));
  await once(peer.socket, 'connect');
  return peer;
}

export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export async function elapsedMs(exchange: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await exchange();
  return performance.now() - startedAt;
}

export async function roundTrip(client: Peer, server: Peer): Promise<void> {
  client.socket.write('ping');
  await server.receives(4);
  server.socket.write('pong');
  await client.receives(4);
}

export function ends(
  pair: { client: Peer; server: Peer },
  direction: FaultDirection,
): [sender: Peer, receiver: Peer] {
  return direction === 'toServer' ? [pair.client, pair.server] : [pair.server, pair.client];
}

export const DIRECTIONS: FaultDirection[] = ['toServer', 'toClient'];

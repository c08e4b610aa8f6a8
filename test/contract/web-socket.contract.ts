// oxlint-disable unicorn/prefer-add-event-listener -- the client sets these properties, and the contract is about them
import { expect, it, onTestFinished } from 'vitest';
import type { WebSocketConstructor, WebSocketLike } from '../../lib/client/index.js';
import { Arrivals } from '../support/arrivals.js';

/** The server's end of a connection. */
export interface ContractPeer {
  readonly protocols: readonly string[];
  readonly texts: Arrivals<string>;
  readonly closed: Promise<{ readonly code: number }>;
  send(text: string): void;
  close(code: number, reason?: string): void;
  /** The connection is gone without a close frame. */
  cut(): void;
}

/** A server that a `WebSocket` of one kind can reach. */
export interface ContractServer {
  readonly WebSocket: WebSocketConstructor;
  readonly url: string;
  /** Where nobody listens. */
  readonly deadUrl: string;
  readonly peers: Arrivals<ContractPeer>;
  /** Waits for something that travels. */
  until<Value>(promise: Promise<Value>): Promise<Value>;
  close(): Promise<void>;
}

type Told =
  readonly [event: 'open' | 'error'] | readonly ['message', unknown] | readonly ['close', number, string];

interface Client {
  readonly socket: WebSocketLike;
  readonly told: Arrivals<Told>;
}

const PROTOCOL = 'nestjs-channels.v1.json';

/** What the client relies on, whichever `WebSocket` it was given. */
export function webSocketContract(kind: string, start: () => Promise<ContractServer>): void {
  async function begin(): Promise<ContractServer> {
    const server = await start();
    onTestFinished(() => server.close());
    return server;
  }

  function open({ WebSocket }: ContractServer, url: string): Client {
    const socket = new WebSocket(url, [PROTOCOL, 'nestjs-channels.bearer.and0']);
    const told = new Arrivals<Told>();
    socket.onopen = () => told.add(['open']);
    socket.onmessage = ({ data }: { data: unknown }) => told.add(['message', data]);
    socket.onclose = ({ code, reason }: { code: number; reason: string }) =>
      told.add(['close', code, reason]);
    socket.onerror = () => told.add(['error']);
    return { socket, told };
  }

  async function connect(server: ContractServer): Promise<Client & { peer: ContractPeer }> {
    const client = open(server, server.url);
    await server.until(client.told.next());
    const peer = await server.until(server.peers.next());
    return { ...client, peer };
  }

  it(`${kind}: tells that it is open, and is so from then on`, async () => {
    const server = await begin();
    const { socket, told } = open(server, server.url);
    const before = socket.readyState;

    await server.until(told.next());

    expect([before, told.all, socket.readyState]).toEqual([0, [['open']], 1]);
  });

  it(`${kind}: offers the protocols in their order`, async () => {
    const server = await begin();

    const { peer } = await connect(server);

    expect(peer.protocols).toEqual([PROTOCOL, 'nestjs-channels.bearer.and0']);
  });

  it(`${kind}: carries texts to the server in order`, async () => {
    const server = await begin();
    const { socket, peer } = await connect(server);
    const texts = ['one', '', 'caf\u00e9 \u{1f600}\n', 'x'.repeat(65_536)];

    for (const text of texts) socket.send(text);
    for (const _ of texts) await server.until(peer.texts.next());

    expect(peer.texts.all).toEqual(texts);
  });

  it(`${kind}: hands out texts of the server in order, as strings`, async () => {
    const server = await begin();
    const { told, peer } = await connect(server);
    const texts = ['one', '', 'caf\u00e9 \u{1f600}\n', 'x'.repeat(65_536)];

    for (const text of texts) peer.send(text);
    for (const _ of texts) await server.until(told.next());

    expect(told.all.slice(1)).toEqual(texts.map((text) => ['message', text]));
  });

  it(`${kind}: tells the code and the reason of a close, behind what was sent before it`, async () => {
    const server = await begin();
    const { socket, told, peer } = await connect(server);

    peer.send('last');
    peer.close(4429, '{"retryAfterMs":7000}');
    await server.until(told.next());
    await server.until(told.next());

    expect(told.all.slice(1)).toEqual([
      ['message', 'last'],
      ['close', 4429, '{"retryAfterMs":7000}'],
    ]);
    expect(socket.readyState).toBe(3);
  });

  it(`${kind}: tells 1006 when the connection is lost`, async () => {
    const server = await begin();
    const { told, peer } = await connect(server);

    peer.cut();
    await server.until(told.next());

    expect(told.all.at(-1)).toEqual(['close', 1006, '']);
  });

  it(`${kind}: tells the server the code of its own close`, async () => {
    const server = await begin();
    const { socket, told, peer } = await connect(server);

    socket.close(1000);
    const { code } = await server.until(peer.closed);
    await server.until(told.next());

    expect([code, told.all.at(-1)?.[1], socket.readyState]).toEqual([1000, 1000, 3]);
  });

  it(`${kind}: is not open any more as soon as it was told to close`, async () => {
    const server = await begin();
    const { socket } = await connect(server);

    socket.close(1000);

    expect(socket.readyState).not.toBe(1);
  });

  it(`${kind}: loses what it is given while it closes, without a word`, async () => {
    const server = await begin();
    const { socket, told, peer } = await connect(server);

    socket.send('before');
    socket.close(1000);
    expect(() => socket.send('after')).not.toThrow();
    await server.until(peer.closed);
    await server.until(told.next());

    expect(peer.texts.all).toEqual(['before']);
    expect(told.all.map(([event]) => event)).toEqual(['open', 'close']);
  });

  it(`${kind}: may be closed twice`, async () => {
    const server = await begin();
    const { socket, told } = await connect(server);

    socket.close(1000);
    socket.close(1000);
    await server.until(told.next());
    socket.close(1000);

    expect(told.all.map(([event]) => event)).toEqual(['open', 'close']);
  });

  it(`${kind}: tells an error and a close with 1006 where nobody listens`, async () => {
    const server = await begin();
    const { told } = open(server, server.deadUrl);

    await server.until(told.next());
    await server.until(told.next());

    expect(told.all).toEqual([['error'], ['close', 1006, '']]);
  });

  it(`${kind}: never opens when it is closed while it connects, and throws nothing`, async () => {
    const server = await begin();
    const { socket, told } = open(server, server.url);

    socket.close(1000);
    await server.until(told.next());
    await server.until(told.next());

    expect(told.all).toEqual([['error'], ['close', 1006, '']]);
  });

  it(`${kind}: tells nothing to listeners that were taken away`, async () => {
    const server = await begin();
    const { socket, told, peer } = await connect(server);

    socket.onopen = socket.onmessage = socket.onclose = null;
    peer.send('late');
    socket.close(1000);
    await server.until(peer.closed);

    expect(told.all).toEqual([['open']]);
  });

  it(`${kind}: throws when it is given something while it connects`, async () => {
    const server = await begin();
    const { socket } = open(server, server.url);

    expect(() => socket.send('early')).toThrow(/connecting|CONNECTING/i);
  });
}

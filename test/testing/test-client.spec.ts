import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { HandshakeRefused, TestClient } from '../../lib/testing/test-client.js';
import { connected, dial, serve, serveByHand, SHORT_MS, switching, textFrame } from './client-rig.js';

describe('TestClient.connect', () => {
  it('keeps a frame that arrives together with the answer to the handshake', async () => {
    const url = await serveByHand((socket, accept) => {
      socket.write(Buffer.concat([Buffer.from(switching(accept)), textFrame('{"event":"early"}')]));
    });

    const client = await dial(url, { protocols: [] });

    expect(await client.next()).toEqual({ event: 'early' });
  });

  it('offers our JSON subprotocol unless told otherwise', async () => {
    const { client, request } = await connected();

    expect(request.headers['sec-websocket-protocol']).toBe('nestjs-channels.v1.json');
    expect(client.protocol).toBe('nestjs-channels.v1.json');
  });

  it('offers nothing as a plain client', async () => {
    const { client, request } = await connected({ protocols: [] });

    expect(request.headers['sec-websocket-protocol']).toBeUndefined();
    expect(client.protocol).toBe('');
  });

  it('sends a token as a header', async () => {
    const { request } = await connected({ token: 'abc.def' });

    expect(request.headers.authorization).toBe('Bearer abc.def');
  });

  it('sends a bearer as the last subprotocol, base64url-encoded', async () => {
    const { client, request } = await connected({ bearer: 'a?b>c~' });

    expect(request.headers['sec-websocket-protocol']).toBe(
      'nestjs-channels.v1.json,nestjs-channels.bearer.YT9iPmN-',
    );
    expect(request.headers.authorization).toBeUndefined();
    expect(client.protocol).toBe('nestjs-channels.v1.json');
  });

  it('sends headers and an origin, and connects from the address given', async () => {
    const options = {
      headers: { 'x-tenant': 'acme' },
      origin: 'https://app.example',
      localAddress: '127.0.0.9',
    };

    const { request } = await connected(options);

    expect(request.headers).toMatchObject({ 'x-tenant': 'acme', origin: 'https://app.example' });
    expect(request.socket.remoteAddress).toBe('127.0.0.9');
  });

  it('rejects with status, headers and parsed body when it is refused', async () => {
    const url = await serveByHand(undefined, (_request, response) => {
      response.writeHead(429, { 'content-type': 'application/json', 'retry-after': '7' });
      response.end('{"statusCode":429,"message":"slow down"}');
    });

    const refused = await TestClient.connect(url).catch((error: unknown) => error);

    expect(refused).toBeInstanceOf(HandshakeRefused);
    expect(refused).toMatchObject({
      name: 'HandshakeRefused',
      statusCode: 429,
      headers: { 'retry-after': '7' },
      body: { statusCode: 429, message: 'slow down' },
    });
  });

  it('keeps a body that is no JSON as text', async () => {
    const url = await serveByHand(undefined, (_request, response) => response.writeHead(404).end('Not here'));

    await expect(TestClient.connect(url)).rejects.toMatchObject({ statusCode: 404, body: 'Not here' });
  });

  it('rejects with the error of the socket when nobody listens', async () => {
    const vacated = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(vacated, 'listening');
    const { port } = vacated.address() as AddressInfo;
    vacated.close();
    await once(vacated, 'close');

    await expect(TestClient.connect(`ws://127.0.0.1:${port}`)).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    });
  });

  it('gives up a handshake that is not answered in time', async () => {
    const ended: Promise<unknown>[] = [];
    const url = await serveByHand((socket) => ended.push(once(socket.resume(), 'end')));

    await expect(TestClient.connect(url, { timeoutMs: SHORT_MS })).rejects.toThrow(
      `Waited ${SHORT_MS} ms for an answer to the handshake`,
    );

    await ended[0];
    expect(ended).toHaveLength(1);
  });

  it('resolves when the server closes right after the upgrade', async () => {
    const url = await serve((server) => server.close(4501, 'unauthorized'));

    const client = await dial(url);

    expect(await client.closed).toEqual({ code: 4501, reason: 'unauthorized' });
  });
});

describe('TestClient sending', () => {
  it('encodes frames as JSON', async () => {
    const { client, server } = await connected();

    client.send({ event: 'chat', data: { text: 'line\nbreak' } });
    const [data, isBinary] = await once(server, 'message');

    expect([JSON.parse(String(data)), isBinary]).toEqual([
      { event: 'chat', data: { text: 'line\nbreak' } },
      false,
    ]);
  });

  it('sends raw text and raw bytes as they are', async () => {
    const { client, server } = await connected();
    const messages: unknown[] = [];
    server.on('message', (data, isBinary) => messages.push([String(data), isBinary]));

    client.sendRaw('{not json');
    client.sendRaw('');
    client.sendRaw(new Uint8Array([104, 105]));
    client.sendRaw('last');
    while (messages.length < 4) await once(server, 'message');

    expect(messages).toEqual([
      ['{not json', false],
      ['', false],
      ['hi', true],
      ['last', false],
    ]);
  });

  it('drops what is sent after the close', async () => {
    const { client, server } = await connected();
    server.close();
    await client.closed;

    expect(() => client.send({ event: 'late' })).not.toThrow();
  });
});

describe('TestClient pings', () => {
  it('answers protocol pings and counts them', async () => {
    const { client, server } = await connected();

    server.ping('one');
    const [answer] = await once(server, 'pong');

    expect([String(answer), client.pings]).toEqual(['one', 1]);
  });

  it('does not answer pings when autoPong is off', async () => {
    const { client, server } = await connected({ autoPong: false });
    const heard: string[] = [];
    server.on('pong', () => heard.push('pong'));
    server.on('message', (data) => heard.push(String(data)));

    server.ping();
    server.send('{"event":"after the ping"}');
    await client.next();
    client.sendRaw('after the ping');
    await once(server, 'message');

    expect(heard).toEqual(['after the ping']);
    expect(client.pings).toBe(1);
  });
});

describe('TestClient reading', () => {
  it('reads nothing while paused and all of it afterwards', async () => {
    const { client, server } = await connected();
    const control = await connected();
    client.pause();

    server.send('{"n":1}');
    for (let round = 0; round < 20; round += 1) {
      control.server.send('{}');
      await control.client.next();
    }
    const whilePaused = client.frames.length;
    client.resume();

    expect(await client.next()).toEqual({ n: 1 });
    expect(whilePaused).toBe(0);
  });
});

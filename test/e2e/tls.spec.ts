import { once } from 'node:events';
import type { Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Test } from '@nestjs/testing';
import { ChannelsModule, type ChannelsModuleOptions, type HandshakeRequest } from 'nestjs-channels';
import { ChannelsClient } from 'nestjs-channels/client';
import { TestClock } from 'nestjs-channels/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket, type ClientOptions } from 'ws';
import { CHANNELS_CLOCK } from '../../lib/nest/tokens.js';
import { makeCertificate, type Certificate } from '../support/certificate.js';
import { guardedGateway } from '../support/guarded-gateway.js';
import { RawSocket } from '../support/raw-socket.js';
import { recordRefusals } from '../support/refusals.js';
import { startApp } from '../support/start-app.js';
import { startTlsProxy, TLS_PROXIES } from '../support/tls-proxy.js';

const OURS = 'nestjs-channels.v1.json';
const CLIENT_ADDRESS = '127.0.0.5';

const gateway = guardedGateway((request: HandshakeRequest) => {
  request.user = { sub: request.ip };
  return true;
});

/** Who the server takes a client for; the status where it refuses. */
async function principalAt(url: string, { cert }: Certificate, options: ClientOptions): Promise<unknown> {
  const socket = new WebSocket(url, OURS, { ca: cert, ...options });
  onTestFinished(() => socket.terminate());
  const refused = once(socket, 'unexpected-response').then(([, response]) => response.statusCode as unknown);
  const opened = once(socket, 'open').then(async () => {
    socket.send('{"event":"whoami","id":1}');
    const [text] = await once(socket, 'message');
    return JSON.parse(String(text)).data.principal as unknown;
  });
  return Promise.race([opened, refused]);
}

/** An application with Nest's own `httpsOptions`. */
async function startSecure(
  { key, cert }: Certificate,
  channels: ChannelsModuleOptions = {},
): Promise<{ port: number; clock: TestClock; server: HttpsServer }> {
  const clock = new TestClock();
  const module = await Test.createTestingModule({
    imports: [ChannelsModule.forRoot(channels)],
    providers: [gateway],
  })
    .overrideProvider(CHANNELS_CLOCK)
    .useValue(clock)
    .compile();
  const app = module.createNestApplication({ httpsOptions: { key, cert }, logger: false });
  onTestFinished(() => app.close());
  await app.listen(0, '127.0.0.1');
  const server = app.getHttpServer() as HttpsServer;
  return { port: (server.address() as { port: number }).port, clock, server };
}

describe("wss on Nest's own httpsOptions", () => {
  it('serves a client that trusts the certificate, and a page of the same host', async () => {
    const certificate = makeCertificate();
    const { port } = await startSecure(certificate);
    const url = `wss://localhost:${port}/ws`;

    const page = { origin: `https://localhost:${port}`, localAddress: CLIENT_ADDRESS };

    expect(await principalAt(url, certificate, page)).toBe(CLIENT_ADDRESS);
    expect(await principalAt(url, certificate, { origin: 'https://evil.test' })).toBe(403);
  });

  it('serves the client of the package', async () => {
    const { cert, ...certificate } = makeCertificate();
    const { port } = await startSecure({ cert, ...certificate });
    class Trusting extends WebSocket {
      constructor(url: string, protocols: string[] = []) {
        super(url, protocols, { ca: cert });
      }
    }
    const client = new ChannelsClient(`wss://localhost:${port}/ws`, { WebSocket: Trusting as never });
    onTestFinished(() => client.close());

    expect(await client.send('whoami')).toMatchObject({ principal: '127.0.0.1' });
  });

  it('ends who begins TLS or a head and does not end it, and keeps who only waits', async () => {
    const certificate = makeCertificate();
    const { observer, refusals } = recordRefusals();
    const { port, clock, server } = await startSecure(certificate, { observers: [observer] });
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const greeter = await RawSocket.connect(port);
    const [below] = await accepted;
    // The beginning of a ClientHello.
    greeter.write(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]));
    await expect.poll(() => below.bytesRead, { interval: 2 }).toBe(6);
    const [waiting, waitingEnd] = await openTls(port, certificate, server);
    const [slow, slowEnd] = await openTls(port, certificate, server);
    const before = slowEnd.bytesRead;
    slow.write('GET /ws HTTP/1.1\r\nX-Slow: ');
    await expect.poll(() => slowEnd.bytesRead, { interval: 2 }).toBeGreaterThan(before);

    const ended = Promise.all([greeter.closed, once(slow, 'close')]);
    await clock.advance(32_000);
    await ended;

    expect([waiting.destroyed, waitingEnd.destroyed]).toEqual([false, false]);
    expect(refusals.map(({ reason }) => reason)).toEqual(['slow_request', 'slow_request']);
  });
});

/** Both ends of a secure socket that has said nothing. */
async function openTls(port: number, { cert }: Certificate, server: HttpsServer): Promise<[Socket, Socket]> {
  const accepted = once(server, 'secureConnection') as Promise<[Socket]>;
  const socket = connectTls({ port, host: 'localhost', ca: cert });
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  // What is not read is never seen to end.
  socket.resume();
  await once(socket, 'secureConnect');
  return [socket, (await accepted)[0]];
}

describe.each(TLS_PROXIES)('behind %s, which ends TLS', (program) => {
  it('trustProxy takes the address that the proxy appends, and the host that the page was loaded from', async () => {
    const certificate = makeCertificate();
    const app = await startApp({ providers: [gateway], channels: { trustProxy: true } });
    const port = await startTlsProxy(program, certificate, app.port);
    const url = `wss://localhost:${port}/ws`;
    const forged = { headers: { 'X-Forwarded-For': '203.0.113.66' }, localAddress: CLIENT_ADDRESS };

    expect(await principalAt(url, certificate, { ...forged, origin: `https://localhost:${port}` })).toBe(
      CLIENT_ADDRESS,
    );
    expect(await principalAt(url, certificate, { origin: `https://localhost:${port + 1}` })).toBe(403);
  });

  it('without trustProxy everybody has the address of the proxy', async () => {
    const certificate = makeCertificate();
    const app = await startApp({ providers: [gateway] });
    const port = await startTlsProxy(program, certificate, app.port);

    const principal = await principalAt(`wss://localhost:${port}/ws`, certificate, {
      localAddress: CLIENT_ADDRESS,
    });

    expect(principal).toBe('127.0.0.1');
  });

  it('caps hold for the client behind the proxy, not for the proxy', async () => {
    const certificate = makeCertificate();
    const app = await startApp({
      providers: [gateway],
      channels: { trustProxy: true, maxConnectionsPerAddress: 1 },
    });
    const port = await startTlsProxy(program, certificate, app.port);
    const url = `wss://localhost:${port}/ws`;
    const from = (localAddress: string): Promise<unknown> => principalAt(url, certificate, { localAddress });
    await from(CLIENT_ADDRESS);

    const refused = new WebSocket(url, OURS, { ca: certificate.cert, localAddress: CLIENT_ADDRESS });
    const [code] = (await once(refused, 'close')) as [number];

    expect([code, await from('127.0.0.6')]).toEqual([4429, '127.0.0.6']);
  });
});

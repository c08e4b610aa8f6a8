import { once } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { Body, Controller, Post } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import type { ChannelsModuleOptions } from 'nestjs-channels';
import { TestClock, type ChannelsTestApp } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { WhoamiGateway } from '../support/guarded-gateway.js';
import { RawSocket, upgradeRequest } from '../support/raw-socket.js';
import { recordRefusals, type RefusalRecorder } from '../support/refusals.js';
import { startApp } from '../support/start-app.js';

const HALF_A_HEAD = 'GET /ws HTTP/1.1\r\nHost: localhost\r\nX-Slow: ';
const TICK_MS = 1_000;

@WebSocketGateway({ path: '/ws' })
class Gateway extends WhoamiGateway {}

@Controller()
class UploadController {
  @Post('upload')
  upload(@Body() body: unknown): unknown {
    return body;
  }
}

interface Rig extends RefusalRecorder {
  readonly app: ChannelsTestApp;
  readonly clock: TestClock;
  readonly server: Server;
}

async function start(channels: ChannelsModuleOptions = {}): Promise<Rig> {
  const clock = new TestClock();
  const recorder = recordRefusals();
  const app = await startApp({
    clock,
    providers: [Gateway],
    channels: { heartbeatIntervalMs: 0, heartbeatTimeoutMs: 0, observers: [recorder.observer], ...channels },
    configure: (nest) => void Object.assign(nest.getHttpServer() as Server, { keepAliveTimeout: 0 }),
    imports: [{ module: class UploadModule {}, controllers: [UploadController] }],
  });
  return { ...recorder, app, clock, server: app.nest.getHttpServer() as Server };
}

/** A socket with the server's end of it. */
async function open({ app, server }: Rig): Promise<{ peer: RawSocket; end: Socket }> {
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const peer = await RawSocket.connect(app.port);
  return { peer, end: (await accepted)[0] };
}

/** Waits until the server has read so many bytes. */
async function read(end: Socket, bytes: number): Promise<void> {
  await expect.poll(() => end.bytesRead, { interval: 2 }).toBeGreaterThanOrEqual(bytes);
}

describe('idleUpgradeTimeoutMs', () => {
  it('ends a socket that dribbles its head, within a tick of the time and not before, and says so', async () => {
    const rig = await start();
    const { peer, end } = await open(rig);
    peer.write(HALF_A_HEAD);
    await read(end, HALF_A_HEAD.length);

    await rig.clock.advance(15_000);
    peer.write('x');
    await read(end, HALF_A_HEAD.length + 1);
    await rig.clock.advance(14_999);
    const early = end.destroyed;
    await rig.clock.advance(2 * TICK_MS + 1);
    await peer.closed;

    expect([early, end.destroyed]).toEqual([false, true]);
    expect(peer.response.head).toMatch(/^HTTP\/1\.1 408 /);
    expect(rig.refusals).toMatchObject([
      { reason: 'slow_request', status: 408, address: '127.0.0.1', advice: 'idleUpgradeTimeoutMs' },
    ]);
  });

  it('ends all of many, and only those', async () => {
    const rig = await start();
    const slow = await Promise.all(Array.from({ length: 50 }, () => RawSocket.connect(rig.app.port)));
    for (const peer of slow) peer.write('G');
    const client = await rig.app.connect('/ws');
    await rig.clock.advance(TICK_MS);

    await rig.clock.advance(32_000);

    await Promise.all(slow.map(({ closed }) => closed));
    expect((await client.request('whoami')).data).toBeDefined();
    expect(rig.refusals).toHaveLength(50);
  });

  it('set to 0 leaves them to Node', async () => {
    const rig = await start({ idleUpgradeTimeoutMs: 0 });
    const { peer, end } = await open(rig);
    peer.write(HALF_A_HEAD);
    await read(end, HALF_A_HEAD.length);

    await rig.clock.advance(60_000);

    expect(end.destroyed).toBe(false);
  });

  it('leaves a body as much time as it takes, and the pause between two requests', async () => {
    const rig = await start();
    const { peer, end } = await open(rig);
    const head =
      'POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n';
    peer.write(head, '{"a"');
    await read(end, head.length + 4);

    await rig.clock.advance(60_000);
    peer.write(':12}');
    await peer.until(() => peer.response.head.startsWith('HTTP/1.1 201'));
    await rig.clock.advance(60_000);
    peer.write(upgradeRequest('/ws'));
    await read(end, head.length + 8 + upgradeRequest('/ws').length);
    await rig.clock.advance(60_000);

    expect(end.destroyed).toBe(false);
    expect((await rig.app.channels.connections()).connections).toHaveLength(1);
  });

  it('ends a socket that dribbles the head of a second request', async () => {
    const rig = await start();
    const { peer, end } = await open(rig);
    const first = 'GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n';
    peer.write(first);
    await peer.until(() => peer.response.head.startsWith('HTTP/1.1 404'));
    await rig.clock.advance(TICK_MS);
    peer.write(HALF_A_HEAD);
    await read(end, first.length + HALF_A_HEAD.length);

    await rig.clock.advance(32_000);

    await peer.closed;
    expect(rig.refusals).toMatchObject([{ reason: 'slow_request' }]);
  });

  it('leaves all of them alone where the application takes requests that no listener of ours sees', async () => {
    const rig = await start();
    rig.server.on(
      'connect',
      (_request: IncomingMessage, tunnel: Socket) => void tunnel.write('HTTP/1.1 200 OK\r\n\r\n'),
    );
    const { peer, end } = await open(rig);
    peer.write('CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n');
    await peer.until(() => peer.response.head.startsWith('HTTP/1.1 200'));

    await rig.clock.advance(60_000);

    const isDestroyed = end.destroyed;
    // Nobody reads the tunnel: its end would not be seen, and the application would wait for it.
    end.destroy();

    expect(isDestroyed).toBe(false);
  });
});

describe('idleTimeoutMs', () => {
  it('ends within 6 s of 5 a socket that never sends a byte, and one that upgrades and never speaks', async () => {
    const rig = await start({ idleTimeoutMs: 5_000 });
    const silent = await open(rig);
    const mute = await open(rig);
    mute.peer.write(upgradeRequest('/ws'));
    await mute.peer.until(() => mute.peer.response.head !== '');
    await expect.poll(async () => (await rig.app.channels.connections()).connections.length).toBe(1);

    await rig.clock.advance(4_999);
    const early = [silent.end.destroyed, mute.end.destroyed];
    await rig.clock.advance(1_001);
    await Promise.all([silent.peer.closed, mute.peer.closed]);

    expect(early).toEqual([false, false]);
    expect(mute.peer.closeCode).toBe(4510);
    expect(rig.refusals).toMatchObject([{ reason: 'silent', advice: 'idleTimeoutMs' }]);
  });

  it('unset, leaves a socket without a byte to Node: the probe of a balancer is one', async () => {
    const rig = await start();
    const { end } = await open(rig);

    await rig.clock.advance(60_000);

    expect(end.destroyed).toBe(false);
  });

  it('leaves a socket alone that has been answered before', async () => {
    const rig = await start({ idleTimeoutMs: 5_000 });
    const { peer, end } = await open(rig);
    peer.write('GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await peer.until(() => peer.response.head.startsWith('HTTP/1.1 404'));

    await rig.clock.advance(60_000);

    expect(end.destroyed).toBe(false);
  });
});

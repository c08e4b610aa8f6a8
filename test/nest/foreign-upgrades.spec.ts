import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ChannelsTestApp } from 'nestjs-channels/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { guardedGateway } from '../support/guarded-gateway.js';
import { upgradeRequest } from '../support/raw-socket.js';
import { startApp } from '../support/start-app.js';

/** An application with another listener for upgrades, which takes those of /other. */
async function start(): Promise<{ app: ChannelsTestApp; seen: Duplex[] }> {
  const app = await startApp({
    providers: [guardedGateway(() => true)],
    channels: { handshakeTimeoutMs: 100 },
  });
  const seen: Duplex[] = [];
  app.nest.getHttpServer().on('upgrade', (request: { url: string }, socket: Duplex) => {
    seen.push(socket);
    if (request.url === '/other') socket.on('data', (bytes: Buffer) => socket.end(bytes));
  });
  return { app, seen };
}

async function knock({ port }: ChannelsTestApp, path: string): Promise<Socket> {
  const peer = connect(port, '127.0.0.1');
  onTestFinished(() => void peer.destroy());
  await once(peer, 'connect');
  peer.write(upgradeRequest(path));
  return peer;
}

const closeOf = (socket: Duplex): Promise<void> =>
  new Promise((resolve) => socket.once('close', () => resolve()));

describe('an upgrade on a path of no gateway, where somebody else listens', () => {
  it('may be reset without ending the process', async () => {
    const { app, seen } = await start();
    const peer = await knock(app, '/nobody');
    await expect.poll(() => seen).toHaveLength(1);
    const closed = closeOf(seen[0] as Duplex);

    peer.resetAndDestroy();
    await closed;

    expect((await app.connect('/ws')).protocol).not.toBe('');
  });

  it('is ended where nobody has taken it in the time of a handshake', async () => {
    const { app } = await start();

    await closeOf(await knock(app, '/nobody'));

    expect((await app.connect('/ws')).protocol).not.toBe('');
  });

  it('is left to whoever has taken it', async () => {
    const { app } = await start();
    const other = await knock(app, '/other');
    const nobody = await knock(app, '/nobody');

    // By then the time of the first one is over as well.
    await closeOf(nobody);
    other.write('still here');
    const [answer] = (await once(other, 'data')) as [Buffer];

    expect(String(answer)).toBe('still here');
  });
});

import { describe, expect, it, vi } from 'vitest';
import { InstalledApp, startInstalled } from '../support/installed-app.js';

// Applications start, perhaps on a machine that has other work to do.
vi.setConfig({ testTimeout: 60_000 });

/** Whether Socket.IO serves here: its first request, by long polling. */
async function socketIoStatus(port: number): Promise<number> {
  return (await fetch(`http://127.0.0.1:${port}/socket.io/?EIO=4&transport=polling`)).status;
}

describe.each(['nest11', 'nest12'] as const)('an application of Socket.IO on %s', (nest) => {
  it('is served by Socket.IO', async () => {
    const { port } = await startInstalled(nest, 'none', 'socket.io');

    expect(await socketIoStatus(port)).toBe(200);
  });

  it('is refused at the start where it only imports our module', async () => {
    const app = InstalledApp.run(nest, 'channels', 'express', 'socket.io');

    expect(await app.exited).toBe(1);
    expect(app.output).toContain(
      '@nestjs/platform-socket.io is installed, and these gateways use nothing of nestjs-channels: SocketIoGateway. ' +
        'Importing ChannelsModule would move them from Socket.IO to WebSockets. If that is what you want, write ' +
        'ChannelsModule.forRoot({ autoInstall: true }); to keep Socket.IO, write { autoInstall: false }.',
    );
  });

  it('stays one where the module is told so', async () => {
    const { port } = await startInstalled(nest, 'channels', 'socket.io, kept');

    expect(await socketIoStatus(port)).toBe(200);
  });
});

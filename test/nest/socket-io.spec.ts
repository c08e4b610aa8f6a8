import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { ChannelsModule, SubscribeChannel } from 'nestjs-channels';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { startApp } from '../support/start-app.js';

@WebSocketGateway({ path: '/chat' })
class ChatGateway {
  @SubscribeMessage('echo')
  echo(): string {
    return 'echo';
  }
}

@WebSocketGateway({ path: '/news' })
class NewsGateway {
  @SubscribeChannel('news')
  join(): void {}
}

/** Makes this process one of an application that has `@nestjs/platform-socket.io` installed. */
function installSocketIo(): void {
  const folder = mkdtempSync(join(tmpdir(), 'socket-io-app-'));
  const platform = join(folder, 'node_modules/@nestjs/platform-socket.io');
  mkdirSync(platform, { recursive: true });
  writeFileSync(
    join(platform, 'package.json'),
    JSON.stringify({ name: '@nestjs/platform-socket.io', main: 'x.js' }),
  );
  writeFileSync(join(platform, 'x.js'), '');
  const cwd = vi.spyOn(process, 'cwd').mockReturnValue(folder);
  onTestFinished(() => {
    cwd.mockRestore();
    rmSync(folder, { recursive: true });
  });
}

describe('an application with Socket.IO installed', () => {
  it('is refused when an import would move its gateways to another protocol', async () => {
    installSocketIo();

    const starting = startApp({ imports: [ChannelsModule.forRoot()], providers: [ChatGateway, NewsGateway] });

    await expect(starting).rejects.toThrow(
      '@nestjs/platform-socket.io is installed, and these gateways use nothing of nestjs-channels: ChatGateway. ' +
        'Importing ChannelsModule would move them from Socket.IO to WebSockets. If that is what you want, write ' +
        'ChannelsModule.forRoot({ autoInstall: true }); to keep Socket.IO, write { autoInstall: false }.',
    );
  });

  it('starts when it says that this is what it wants', async () => {
    installSocketIo();

    const imports = [ChannelsModule.forRoot({ autoInstall: true })];
    const app = await startApp({ imports, providers: [ChatGateway] });

    expect(await (await app.connect('/chat')).request('echo')).toMatchObject({ data: 'echo' });
  });

  it('starts when every gateway uses a decorator of ours', async () => {
    installSocketIo();

    const app = await startApp({ imports: [ChannelsModule.forRoot()], providers: [NewsGateway] });

    expect(await (await app.connect('/news')).subscribe('news')).toMatchObject({ data: { channel: 'news' } });
  });
});

it('starts with stock gateways where Socket.IO is not installed', async () => {
  const app = await startApp({ imports: [ChannelsModule.forRoot()], providers: [ChatGateway] });

  expect(await (await app.connect('/chat')).request('echo')).toMatchObject({ data: 'echo' });
});

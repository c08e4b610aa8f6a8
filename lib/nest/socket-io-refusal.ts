import { createRequire } from 'node:module';
import { join } from 'node:path';
import { WsAdapter } from '@nestjs/platform-ws';

const SOCKET_IO = '@nestjs/platform-socket.io';

/** Whether Nest would have served the gateways by Socket.IO. It looks the package up where the application is. */
export function hasSocketIo(): boolean {
  const places = [import.meta.url, join(process.cwd(), 'package.json')];
  return places.some((place) => {
    try {
      createRequire(place).resolve(SOCKET_IO);
      return true;
    } catch {
      // It is not there.
      return false;
    }
  });
}

/** Stands where an adapter was not set: the first gateway that asks for a server ends the start. */
export class SocketIoRefusal extends WsAdapter {
  constructor(private readonly gateways: readonly string[]) {
    super();
  }

  /** @throws TypeError always */
  override create(): never {
    throw new TypeError(
      `${SOCKET_IO} is installed, and these gateways use nothing of nestjs-channels: ${this.gateways.join(', ')}. ` +
        'Importing ChannelsModule would move them from Socket.IO to WebSockets. If that is what you want, write ' +
        'ChannelsModule.forRoot({ autoInstall: true }); to keep Socket.IO, write { autoInstall: false }.',
    );
  }
}

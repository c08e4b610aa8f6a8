import { Logger } from '@nestjs/common';
import { ConnectedSocket, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { OriginGuard, UseHandshakeGuards } from 'nestjs-channels';
import { describe, expect, it, vi } from 'vitest';
import { LoggingObserver } from '../../lib/nest/logging.observer.js';
import { startApp } from '../support/start-app.js';

interface Scribbled {
  id: unknown;
  user: unknown;
  principal: unknown;
  params: unknown;
  channels: unknown;
  connection: unknown;
}

/** As gateways of the stock adapter do: the socket is where they keep what they know of a client. */
@WebSocketGateway({ path: '/ws' })
class ScribblingGateway {
  handleConnection(client: Scribbled): void {
    Object.assign(client, { id: 'mine', user: { name: 'ann' }, principal: 'root', params: 1 });
    client.channels = new Set(['mine']);
    client.connection = 'mine';
  }

  @SubscribeMessage('read')
  read(@ConnectedSocket() { id, user, principal, params, channels, connection }: Scribbled): unknown {
    return { id, user, principal, params, channels: [...(channels as Set<string>)], connection };
  }
}

describe('a gateway with habits from the stock adapter', () => {
  it('keeps what it writes on the socket', async () => {
    const app = await startApp({ providers: [ScribblingGateway] });
    const client = await app.connect('/ws');

    expect((await client.request('read')) as object).toMatchObject({
      data: {
        id: 'mine',
        user: { name: 'ann' },
        principal: 'root',
        params: 1,
        channels: ['mine'],
        connection: 'mine',
      },
    });
  });

  it('does not become somebody else by what it writes', async () => {
    const app = await startApp({ providers: [ScribblingGateway] });
    const client = await app.connect('/ws');
    await client.request('read');

    const { connections } = await app.channels.connections({ principal: 'root' });

    expect(connections).toEqual([]);
  });
});

describe('the adapter', () => {
  it('tells the limit that a gateway has set for itself', async () => {
    @WebSocketGateway({ path: '/large', maxPayload: 1_048_576 })
    class LargeGateway {}
    const app = await startApp({ providers: [LargeGateway, ScribblingGateway] });

    const welcomes = [await (await app.connect('/large')).hello(), await (await app.connect('/ws')).hello()];

    expect(welcomes).toMatchObject([
      { data: { limits: { maxMessageBytes: 1_048_576 } } },
      { data: { limits: { maxMessageBytes: 65_536 } } },
    ]);
  });

  it('gives its origin guard to gateways, too', async () => {
    @WebSocketGateway({ path: '/ws' })
    @UseHandshakeGuards(OriginGuard)
    class GuardedGateway {}
    const app = await startApp({ providers: [GuardedGateway] });

    expect((await app.connect('/ws', { origin: `http://127.0.0.1:${app.port}` })).protocol).not.toBe('');
  });

  it('refuses subprotocols when the application fails to choose one, and reports it', async () => {
    const failures: unknown[] = [];
    const handleProtocols = (): never => {
      throw new Error('choosing');
    };
    const app = await startApp({
      providers: [ScribblingGateway],
      channels: { server: { handleProtocols }, observers: [{ failed: (failure) => failures.push(failure) }] },
    });

    await expect(app.connect('/ws', { protocols: ['soap'] })).rejects.toThrow('subprotocol');
    expect(failures).toMatchObject([{ where: 'handleProtocols', error: { message: 'choosing' } }]);
  });
});

describe('the log', () => {
  it('writes what comes from a peer as one line of JSON', () => {
    const warn = vi.fn();
    const logger = Object.assign(new Logger(), { warn });

    new LoggingObserver(logger, { now: () => 0 }).refused({
      reason: 'guard',
      status: 403,
      message: 'no',
      url: '/x\nERROR forged',
      address: '1.2.3.4\u009b31m\r\n',
      durationMs: 3,
    });

    expect(warn).toHaveBeenCalledExactlyOnceWith(
      'refused "/x\\nERROR forged" from "1.2.3.4\\u009b31m\\r\\n" with 403 (guard) "no" after 3 ms',
    );
  });
});

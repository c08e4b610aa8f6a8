import { WsAdapter } from '@nestjs/platform-ws';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { ChannelsAdapter, ChannelsModule, type MessageParser } from 'nestjs-channels';
import type { ChannelsTestApp } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { RecordingObserver } from '../support/recording-observer.js';
import { startApp } from '../support/start-app.js';

@WebSocketGateway({ path: '/ws' })
class EchoGateway {
  @SubscribeMessage('echo')
  echo(@MessageBody() data: unknown): object {
    return { event: 'echo', data };
  }
}

/** Reads `event|data`; leaves comments aside. */
const parse: MessageParser = (message) => {
  const text = String(message);
  if (text.startsWith('#')) return undefined;
  const [event, data] = text.split('|');
  if (data === undefined) throw new Error(`no data in ${text}`);
  return { event: String(event), data };
};

const PLAIN = { protocols: [] };

function start(adapter: 'stock' | 'ours'): Promise<ChannelsTestApp> {
  return startApp({
    providers: [EchoGateway],
    imports: [ChannelsModule.forRoot({ autoInstall: adapter === 'ours', messageParser: parse })],
    configure: (nest) => {
      if (adapter === 'ours') return;
      const stock = new WsAdapter(nest);
      stock.setMessageParser(parse as never);
      nest.useWebSocketAdapter(stock);
    },
  });
}

describe('a message parser of the application', () => {
  it.each([
    ['text', 'echo|hi'],
    ['bytes', Buffer.from('echo|bytes')],
  ])('reads %s of a plain connection as in the stock adapter', async (_what, message) => {
    const answers: unknown[] = [];
    for (const adapter of ['stock', 'ours'] as const) {
      const client = await (await start(adapter)).connect('/ws', PLAIN);
      client.sendRaw('# left aside');
      client.sendRaw(message);
      await client.next();
      answers.push(client.frames);
    }

    expect(answers[1]).toEqual(answers[0]);
    expect(answers[1]).toMatchObject([{ event: 'echo' }]);
  });

  it('may be set on the adapter later', async () => {
    const app = await startApp({ providers: [EchoGateway] });
    app.nest.get(ChannelsAdapter).setMessageParser(parse);

    const client = await app.connect('/ws', PLAIN);
    client.sendRaw('echo|later');

    expect(await client.next()).toEqual({ event: 'echo', data: 'later' });
  });

  it('does not touch connections that speak our subprotocol', async () => {
    const app = await start('ours');

    expect((await (await app.connect('/ws')).request('echo', 'json')).data).toBe('json');
  });

  it('that throws is reported, and the peer is told that its message cannot be read', async () => {
    const observer = new RecordingObserver();
    const app = await startApp({
      providers: [EchoGateway],
      channels: { messageParser: parse, observers: [observer] },
    });
    const client = await app.connect('/ws', PLAIN);

    client.sendRaw('nothing');

    expect(await client.next()).toEqual({
      event: 'exception',
      data: { status: 'error', code: 'bad_frame', message: 'the message cannot be read' },
    });
    expect(observer.failures).toMatchObject([
      { where: 'messageParser', error: { message: 'it has thrown Error' } },
    ]);
  });

  it.each([5, 'text', null, { data: 1 }])('that gives no frame is told as a bad one: %j', async (value) => {
    const messageParser = (() => value) as unknown as MessageParser;
    const app = await startApp({ providers: [EchoGateway], channels: { messageParser } });
    const client = await app.connect('/ws', PLAIN);

    client.sendRaw('x');

    expect(await client.next()).toMatchObject({ event: 'exception', data: { code: 'bad_frame' } });
  });
});

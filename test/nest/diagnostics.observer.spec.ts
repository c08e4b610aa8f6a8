import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { SubscribeChannel } from 'nestjs-channels';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startApp } from '../support/start-app.js';

@WebSocketGateway({ path: '/ws' })
class Gateway {
  @SubscribeChannel('chat')
  join(): void {}

  @SubscribeMessage('echo')
  echo(@MessageBody() data: unknown): unknown {
    return data;
  }
}

/** What is published on a channel from now on. */
function listen(fact: string): Record<string, unknown>[] {
  const messages: Record<string, unknown>[] = [];
  const listener = (message: unknown): void => void messages.push(message as Record<string, unknown>);
  subscribe(`nestjs-channels:${fact}`, listener);
  onTestFinished(() => void unsubscribe(`nestjs-channels:${fact}`, listener));
  return messages;
}

describe('the facts on node:diagnostics_channel', () => {
  it('come to whoever listens, also from later on', async () => {
    const opened = listen('opened');
    const app = await startApp({ providers: [Gateway] });
    const client = await app.connect('/ws');
    const [joined, delivered] = [listen('joined'), listen('delivered')];

    await client.request('$subscribe', { channel: 'chat' }, { id: 1 });
    await app.channels.publish('chat', 'said', 'hi');

    expect(opened).toMatchObject([{ connection: { path: '/ws' } }]);
    expect(joined).toMatchObject([{ channel: 'chat', outcome: 'new' }]);
    expect(delivered).toEqual([{ channel: 'chat', subscribers: 1 }]);
  });

  it('are measured where somebody listens before the application is made, and not for who comes later', async () => {
    const early = await startApp({ providers: [Gateway] });
    const handled = listen('handled');
    const late = await startApp({ providers: [Gateway] });

    for (const app of [early, late]) await (await app.connect('/ws')).request('echo', 'x', { id: 1 });

    expect(handled).toMatchObject([{ event: 'echo', ms: expect.any(Number) }]);
  });
});

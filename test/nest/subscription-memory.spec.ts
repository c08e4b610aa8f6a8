import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { MessageBody, WebSocketGateway } from '@nestjs/websockets';
import { SubscribeChannel, UnsubscribeChannel } from 'nestjs-channels';
import { describe, expect, it } from 'vitest';
import { startApp } from '../support/start-app.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Remembers whether what its methods have got is still in memory. */
@WebSocketGateway({ path: '/ws' })
class RoomGateway {
  readonly got: WeakRef<object>[] = [];
  readonly kept: object[] = [];

  @SubscribeChannel('watched:{name}')
  watch(@MessageBody() params: object): void {
    this.got.push(new WeakRef(params));
  }

  @UnsubscribeChannel('watched:{name}')
  leave(): void {}

  @SubscribeChannel('plain:{name}')
  join(@MessageBody() params: object): void {
    this.got.push(new WeakRef(params));
  }

  @SubscribeChannel('kept:{name}')
  keep(@MessageBody() params: object): void {
    this.got.push(new WeakRef(params));
    this.kept.push(params);
  }
}

describe('what a peer has sent with a $subscribe', () => {
  const isThereAfter = async (channel: string): Promise<() => boolean> => {
    const app = await startApp({ providers: [RoomGateway] });
    const client = await app.connect('/ws');
    await client.subscribe(channel, { params: { filler: 'x'.repeat(60_000) } });
    const [got] = app.nest.get(RoomGateway).got;
    return () => {
      collectGarbage();
      return got?.deref() !== undefined;
    };
  };

  it.each(['watched:1', 'plain:1'])('is not kept by the subscription to %s', async (channel) => {
    const isThere = await isThereAfter(channel);

    await expect.poll(isThere).toBe(false);
  });

  it('is seen where somebody keeps it', async () => {
    const isThere = await isThereAfter('kept:1');

    expect(isThere()).toBe(true);
  });
});

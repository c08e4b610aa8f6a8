import { WebSocketGateway } from '@nestjs/websockets';
import {
  defineChannel,
  SubscribeChannel,
  type Broker,
  type HistoryOptions,
  type HistoryPage,
} from 'nestjs-channels';
import type { ChannelsTestApp, TestClient } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { memoryBroker } from '../core/engine-rig.js';
import { Deferred } from '../support/deferred.js';
import { startApp } from '../support/start-app.js';

const kept = defineChannel('kept', { history: { size: 5 } });

@WebSocketGateway({ path: '/ws' })
class KeptGateway {
  @SubscribeChannel(kept)
  join(): void {}

  @SubscribeChannel('plain')
  joinPlain(): void {}
}

/** A client in both channels; what was published before has its number as data. */
async function start(
  published: number,
  broker?: Broker,
): Promise<{ app: ChannelsTestApp; client: TestClient; epoch: string }> {
  const app = await startApp({ providers: [KeptGateway], channels: { broker } });
  for (let at = 1; at <= published; at++) await app.channels.publish('kept', 'said', at);
  const client = await app.connect('/ws');
  await client.subscribe('plain');
  const { data } = await client.subscribe('kept');
  return { app, client, epoch: (data as { epoch: string }).epoch };
}

/** MAX_HISTORY_BYTES, and what a publication takes of it besides its data. */
const MAX_BYTES = 262_144;
const AROUND_DATA = Buffer.byteLength('{"event":"said","data":,"offset":9007199254740991},');

const said = (offset: number): object => ({ event: 'said', data: offset, offset });

describe('$history', () => {
  it('answers with what is kept, and where the channel stands', async () => {
    const { client, epoch } = await start(7);

    expect((await client.request('$history', { channel: 'kept' })).data).toEqual({
      epoch,
      offset: 7,
      publications: [3, 4, 5, 6, 7].map(said),
      more: false,
    });
  });

  it.each<[object, number[], boolean]>([
    [{ limit: 2 }, [3, 4], true],
    [{ limit: 5 }, [3, 4, 5, 6, 7], false],
    [{ limit: 1, reverse: true }, [7], true],
    [{ reverse: true }, [7, 6, 5, 4, 3], false],
  ])('gives the part that %j asks for', async (query, offsets, more) => {
    const { client } = await start(7);

    const { data } = await client.request('$history', { channel: 'kept', ...query });

    expect(data).toMatchObject({ publications: offsets.map(said), more });
  });

  it('goes on behind a position, and from the oldest where that is of another life', async () => {
    const { client, epoch } = await start(7);
    const ask = async (since: object): Promise<unknown> =>
      (await client.request('$history', { channel: 'kept', since })).data;

    expect(await ask({ epoch, offset: 5 })).toMatchObject({ publications: [said(6), said(7)], more: false });
    expect(await ask({ epoch, offset: 7 })).toMatchObject({ publications: [], more: false });
    expect(await ask({ epoch: 'other', offset: 6 })).toMatchObject({
      publications: [3, 4, 5, 6, 7].map(said),
    });
  });

  it.each<[string, object, string]>([
    ['a channel that the connection is not in', { channel: 'other' }, 'not_subscribed'],
    ['a channel without history', { channel: 'plain' }, 'bad_request'],
    ['what is no channel name', { channel: 'a b' }, 'unknown_channel'],
    ['a limit of 0', { channel: 'kept', limit: 0 }, 'bad_request'],
    ['a reverse that is no boolean', { channel: 'kept', reverse: 1 }, 'bad_request'],
    ['a since that is no position', { channel: 'kept', since: 3 }, 'bad_request'],
  ])('refuses %s', async (_, data, code) => {
    const { client } = await start(1);

    expect((await client.request('$history', data)).error).toMatchObject({ code });
  });

  it.each([
    [0, 4, false],
    [1, 3, true],
  ])('gives 256 KiB and %i bytes in one answer as %i of 4 publications', async (over, count, more) => {
    const { app, client } = await start(0);
    const text = 'x'.repeat(MAX_BYTES / 4 - AROUND_DATA - '""'.length);
    for (const data of [text, text, text, text + 'x'.repeat(over)]) {
      await app.channels.publish('kept', 'said', data);
    }

    const { data } = await client.request('$history', { channel: 'kept' });
    const { publications, ...rest } = data as { publications: object[]; more: boolean };

    expect([publications.length, rest.more]).toEqual([count, more]);
    expect(JSON.stringify(publications).length).toBeLessThanOrEqual(MAX_BYTES);
  });

  it('gives the first publication however long it is', async () => {
    const channels = { maxMessageBytes: 2 * MAX_BYTES };
    const app = await startApp({ providers: [KeptGateway], channels });
    for (let at = 0; at < 2; at++) await app.channels.publish('kept', 'said', 'x'.repeat(MAX_BYTES + 1));
    const client = await app.connect('/ws');
    await client.subscribe('kept');

    const { data } = await client.request('$history', { channel: 'kept' });

    expect(data).toMatchObject({ publications: [{ offset: 1 }], more: true });
  });

  it('reads once at a time for a connection, and tells when to ask again', async () => {
    const page = new Deferred<HistoryPage>();
    const broker = Object.assign(memoryBroker(), { history: () => page.promise });
    const { client, epoch } = await start(0, broker as never);

    const first = client.request('$history', { channel: 'kept' });
    const second = await client.request('$history', { channel: 'kept' });
    page.resolve({ position: { epoch, offset: 0 }, oldest: 1, publications: [] });

    expect(second.error).toEqual({
      code: 'rate_limited',
      message: 'the last $history has no answer yet',
      retryable: true,
      retryAfterMs: 1_000,
    });
    expect((await first).data).toMatchObject({ publications: [], more: false });
    expect((await client.request('$history', { channel: 'kept' })).error).toBeUndefined();
  });
});

describe('ChannelsService.history', () => {
  it.each<[HistoryOptions]>([
    [{ limit: -1 }],
    [{ limit: 0 }],
    [{ limit: 1.5 }],
    [{ limit: Number.NaN }],
    [{ limit: Infinity }],
    [{ since: { epoch: 'e', offset: -1 } }],
    [{ since: { epoch: 'e', offset: Number.NaN } }],
  ])('refuses %j, as $history does', async (options) => {
    const { app } = await start(2);

    await expect(app.channels.history('kept', options)).rejects.toMatchObject({ code: 'bad_request' });
  });

  it('gives at least one, and all that are kept unless it is asked for fewer', async () => {
    const { app, epoch } = await start(7);

    expect(await app.channels.history('kept', { limit: 1 })).toEqual({
      epoch,
      offset: 7,
      publications: [said(3)],
    });
    expect((await app.channels.history('kept')).publications).toHaveLength(5);
    expect((await app.channels.history('kept', { limit: 6 })).publications).toHaveLength(5);
  });
});

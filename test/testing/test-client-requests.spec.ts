import { describe, expect, it } from 'vitest';
import { answerWith, connected, delivered, SHORT_MS } from './client-rig.js';

describe('TestClient.request', () => {
  it('sends an id of its own and resolves with the answer to it', async () => {
    const { client, server } = await connected();
    const ids: unknown[] = [];
    answerWith(server, ({ id, data }) => {
      ids.push(id);
      return [{ ack: 'of somebody else', data: 0 }, { event: 'e' }, { ack: id, data }];
    });

    const answers = await Promise.all([client.request('echo', 'one'), client.request('echo', 'two')]);

    expect(answers.map((answer) => answer.data)).toEqual(['one', 'two']);
    expect(new Set(ids).size).toBe(2);
    expect(String(ids[0]).length).toBeLessThanOrEqual(64);
  });

  it('resolves with an error like with any final answer', async () => {
    const { client, server } = await connected();
    answerWith(server, ({ id }) => [
      { ack: id, error: { code: 'forbidden', message: 'no', retryable: false } },
    ]);

    expect((await client.request('secret')).error).toMatchObject({ code: 'forbidden' });
  });

  it('leaves the items of a stream in the queue', async () => {
    const { client, server } = await connected();
    answerWith(server, ({ id }) => [{ ack: id, data: 1, more: true }, { ack: id }]);

    const final = await client.request('count', undefined, { id: 's' });

    expect(final).toEqual({ ack: 's' });
    expect(await client.next()).toEqual({ ack: 's', data: 1, more: true });
  });

  it('takes an id and its text as the same', async () => {
    const { client, server } = await connected();
    answerWith(server, () => [{ ack: '17', data: 'ok' }]);

    expect(await client.request('e', null, { id: 17 })).toEqual({ ack: '17', data: 'ok' });
  });

  it('does not take an answer that came before for its own', async () => {
    const { client, server } = await delivered([{ ack: 'a', data: 'old' }]);
    answerWith(server, ({ id }) => [{ ack: id, data: 'new' }]);

    expect(await client.request('e', null, { id: 'a' })).toEqual({ ack: 'a', data: 'new' });
  });

  it('rejects when the connection closes, then and later', async () => {
    const { client, server } = await connected();
    server.once('message', () => server.close(4500));

    await expect(client.request('e')).rejects.toMatchObject({ code: 4500 });
    await expect(client.request('e')).rejects.toMatchObject({ code: 4500 });
  });

  it('names the request that was not answered', async () => {
    const { client } = await connected({ timeoutMs: SHORT_MS });

    await expect(client.request('slow', 1, { id: 'x' })).rejects.toThrow(
      "the answer to { event: 'slow', data: 1, id: 'x' } in vain",
    );
  });
});

describe('TestClient.stream', () => {
  it('collects the items up to the final answer, whoever else waits', async () => {
    const { client, server } = await connected();
    answerWith(server, ({ id }) => [
      { ack: id, data: 'a', more: true },
      { event: 'between' },
      { ack: id, data: 'b', more: true },
      { ack: id },
    ]);

    const next = client.next();
    const { items, final } = await client.stream('letters', { upTo: 'b' });

    expect(items).toEqual(['a', 'b']);
    expect(Object.keys(final)).toEqual(['ack']);
    expect(await next).toEqual({ event: 'between' });
  });

  it('ends with an error as with any final answer', async () => {
    const { client, server } = await connected();
    answerWith(server, ({ id }) => [
      { ack: id, data: 'a', more: true },
      { ack: id, error: { code: 'internal', message: 'broken', retryable: false } },
    ]);

    const { items, final } = await client.stream('letters');

    expect([items, final.error?.code]).toEqual([['a'], 'internal']);
  });
});

describe('TestClient commands', () => {
  it('sends subscribe, unsubscribe and hello with their data', async () => {
    const { client, server } = await connected();
    answerWith(server, ({ id, event, data }) => [{ ack: id, data: { event, data } }]);

    const answers = [
      await client.subscribe('chat:1'),
      await client.subscribe('chat:1', { params: { lang: 'de' } }),
      await client.unsubscribe('chat:1'),
      await client.hello(),
      await client.hello({ heartbeat: true }),
    ];

    expect(answers.map((answer) => answer.data)).toEqual([
      { event: '$subscribe', data: { channel: 'chat:1' } },
      { event: '$subscribe', data: { channel: 'chat:1', params: { lang: 'de' } } },
      { event: '$unsubscribe', data: { channel: 'chat:1' } },
      { event: '$hello', data: {} },
      { event: '$hello', data: { heartbeat: true } },
    ]);
  });
});

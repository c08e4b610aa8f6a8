import { createChannelsTestApp, type ChannelsTestApp, type TestClient } from 'nestjs-channels/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { AppModule } from '../../sample/01-chat/app.module.js';

const KEPT = 100;

describe('the server of sample/01-chat', () => {
  let app: ChannelsTestApp;

  beforeAll(async () => {
    vi.stubEnv('JWT_SECRET', 'a secret of this test');
    app = await createChannelsTestApp({ imports: [AppModule] });
  });

  afterAll(async () => {
    await app.close();
    vi.unstubAllEnvs();
  });

  async function logIn(body: unknown): Promise<{ status: number; body: Record<string, unknown> }> {
    const response = await fetch(`http://127.0.0.1:${app.port}/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  async function connect(name: string): Promise<TestClient> {
    const { body } = await logIn({ name });
    return app.connect('/ws', { bearer: String(body['token']) });
  }

  it.each(['a', ' Ann ', 'x'.repeat(32)])('logs %j in', async (name) => {
    const client = await connect(name);
    await client.subscribe('chat:help');

    await client.request('chat.send', { room: 'help', text: 'hi' });

    expect(await client.waitFor({ event: 'message' })).toMatchObject({ data: { from: name.trim() } });
  });

  it.each([
    [{}],
    [{ name: '' }],
    [{ name: '  ' }],
    [{ name: 'x'.repeat(33) }],
    [{ name: 7 }],
    [{ name: ['Ann'] }],
  ])('refuses to log %j in, and says what a name is', async (body) => {
    expect(await logIn(body)).toMatchObject({
      status: 400,
      body: { message: ['name must be a text of 1 to 32 characters'] },
    });
  });

  it.each([undefined, 'not.a.token', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJBbm4ifQ.'])(
    'closes with 4501 for the token %j',
    async (bearer) => {
      const client = await app.connect('/ws', { bearer });

      expect(await client.closed).toMatchObject({ code: 4_501 });
    },
  );

  it('tells who wrote by the token, whatever the message says', async () => {
    const [ann, ben] = [await connect('Ann'), await connect('Ben')];
    await ben.subscribe('chat:lobby');

    const { data } = await ann.request('chat.send', { room: 'lobby', text: ' hello ', from: 'Ben', id: '1' });

    const { data: message } = await ben.waitFor({ channel: 'chat:lobby', event: 'message' });
    expect(data).toEqual({ id: expect.any(String) });
    expect(message).toEqual({ ...(data as object), from: 'Ann', text: 'hello', at: expect.any(String) });
  });

  it.each([undefined, '', '  ', 7, 'x'.repeat(2_001)])('refuses the text %j', async (text) => {
    const client = await connect('Ann');

    const { error } = await client.request('chat.send', { room: 'lobby', text });

    expect(error).toMatchObject({
      code: 'bad_request',
      details: { message: [expect.stringMatching(/^text /)] },
    });
  });

  it('takes a text of 2,000 characters', async () => {
    const client = await connect('Ann');

    expect(await client.request('chat.send', { room: 'lobby', text: 'x'.repeat(2_000) })).toMatchObject({
      data: { id: expect.any(String) },
    });
  });

  it('has no room but those that there are', async () => {
    const client = await connect('Ann');

    const joined = await client.subscribe('chat:attic');
    const sent = await client.request('chat.send', { room: 'attic', text: 'hello' });

    for (const { error } of [joined, sent])
      expect(error).toMatchObject({ code: 'unknown_channel', message: 'There is no room "attic".' });
  });

  it('tells a message once that runs a second time, as when its node dies before it answers', async () => {
    // Of two connections without an id of their client, so that the stored answer is out of reach.
    const [before, after, ben] = [await connect('Ann'), await connect('Ann'), await connect('Ben')];
    await ben.subscribe('chat:lobby');

    const first = await before.request('chat.send', { room: 'lobby', text: 'once' }, { id: 'm1' });
    const second = await after.request('chat.send', { room: 'lobby', text: 'once' }, { id: 'm1' });
    await after.request('chat.send', { room: 'lobby', text: 'next' });
    await ben.waitFor({ event: 'message', data: { text: 'next' } });

    expect(second.data).toEqual(first.data);
    expect(ben.frames.filter((frame) => JSON.stringify(frame).includes('"text":"once"'))).toHaveLength(1);
  });

  it(`keeps the last ${KEPT} messages of a room for those who come later`, async () => {
    const writer = await connect('Ann');
    for (let n = 1; n <= KEPT + 1; n += 1)
      await writer.request('chat.send', { room: 'random', text: `${n}` });

    const { data } = await (await connect('Ben')).subscribe('chat:random');

    const { data: messages } = data as { data: { text: string }[] };
    expect(messages.map(({ text }) => text)).toEqual(Array.from({ length: KEPT }, (_, n) => `${n + 2}`));
  });
});

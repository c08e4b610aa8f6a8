import { describe, expect, it } from 'vitest';
import { everybody, startClientApp } from '../support/client-app.js';
import { openClient, outcomeOf } from '../support/client-rig.js';

const MAX_MESSAGE_BYTES = 1_024;
const MAX_NESTING = 6;

/** Of an id that the client draws. */
const ID_LENGTH = 22;

const bytesOf = (data: unknown, event = 'say'): number =>
  Buffer.byteLength(JSON.stringify({ event, data, id: 'x'.repeat(ID_LENGTH) }));

/** A text whose message has exactly so many bytes. */
function textOf(bytes: number, filler = ''): string {
  return filler + 'x'.repeat(bytes - bytesOf(filler));
}

/** Data whose message is nested so deep: the message itself is the first level. */
function nested(levels: number): unknown {
  let data: unknown = 'core';
  for (let level = 1; level < levels; level += 1) data = level % 2 ? [data] : { data };
  return data;
}

describe('a message of the size that the server takes', () => {
  it.each([
    ['of ASCII', ''],
    ['with characters of two to four bytes', 'grüße € 👋'],
    ['with characters that JSON escapes', '"\\\n\u0001'],
    ['with half a character', '\ud800'],
  ])('is acked at the limit, and rejects one byte over it: %s', async (_what, filler) => {
    const { desk, url } = await startClientApp(everybody, { maxMessageBytes: MAX_MESSAGE_BYTES });
    const log = openClient(url);
    await log.reaches('open');
    const largest = textOf(MAX_MESSAGE_BYTES, filler);

    const [atLimit, over, behind] = await Promise.all([
      outcomeOf(log.client.send('say', largest)),
      outcomeOf(log.client.send('say', `${largest}x`)),
      outcomeOf(log.client.send('say', 'behind')),
    ]);

    expect(bytesOf(largest)).toBe(MAX_MESSAGE_BYTES);
    expect(atLimit).toEqual({ answer: `heard ${largest}` });
    expect(over).toEqual({ code: 'payload_too_large' });
    expect(behind).toEqual({ answer: 'heard behind' });
    expect(desk.dataOf('say')).toEqual([largest, 'behind']);
    expect(log.names).toEqual(['connecting', 'open']);
  });

  it('rejects with the welcome where it was queued before, and the others are sent', async () => {
    const { desk, url } = await startClientApp(everybody, { maxMessageBytes: MAX_MESSAGE_BYTES });
    const largest = textOf(MAX_MESSAGE_BYTES);
    const { client } = openClient(url);

    const outcomes = await Promise.all(
      [largest, `${largest}x`, 'behind'].map((text) => outcomeOf(client.send('say', text))),
    );

    expect(outcomes).toEqual([
      { answer: `heard ${largest}` },
      { code: 'payload_too_large' },
      { answer: 'heard behind' },
    ]);
    expect(desk.dataOf('say')).toEqual([largest, 'behind']);
  });

  it('is refused before it is sent by emit() and by the parameters of a channel', async () => {
    const { desk, url } = await startClientApp(everybody, { maxMessageBytes: MAX_MESSAGE_BYTES });
    const log = openClient(url);
    await log.reaches('open');
    const tooLong = textOf(2 * MAX_MESSAGE_BYTES);

    const joining = outcomeOf(log.client.channel('desk:one', { params: tooLong }).subscribe());

    expect(() => log.client.emit('say', tooLong)).toThrow(
      expect.objectContaining({ code: 'payload_too_large' }),
    );
    expect(await joining).toEqual({ code: 'payload_too_large' });
    expect(desk.frames.map(({ event }) => event)).toEqual(['$hello']);
    expect(log.client.state.name).toBe('open');
  });

  // What the client is careful about is what the server does.
  it('ends the connection with 1009 one byte over it, where a peer is not as careful', async () => {
    const { app } = await startClientApp(everybody, { maxMessageBytes: MAX_MESSAGE_BYTES });
    const peer = await app.connect('/ws');
    const id = 'x'.repeat(ID_LENGTH);
    const largest = textOf(MAX_MESSAGE_BYTES);

    const ack = await peer.request('say', largest, { id });
    peer.send({ event: 'say', data: `${largest}x`, id });

    expect(ack).toMatchObject({ data: `heard ${largest}` });
    expect((await peer.closed).code).toBe(1009);
  });
});

describe('a message that is nested as deep as the server takes', () => {
  it('is answered at the limit, and rejects one level over it', async () => {
    const { desk, url } = await startClientApp(everybody, { maxNesting: MAX_NESTING });
    const log = openClient(url);
    await log.reaches('open');

    const atLimit = await outcomeOf(log.client.send('deep', nested(MAX_NESTING)));
    const over = await outcomeOf(log.client.send('deep', nested(MAX_NESTING + 1)));

    expect(atLimit).toEqual({ answer: 'deep enough' });
    expect(over).toEqual({ code: 'bad_request' });
    expect(desk.dataOf('deep')).toHaveLength(1);
    expect(log.names).toEqual(['connecting', 'open']);
  });

  it('counts no bracket of a text', async () => {
    const { url } = await startClientApp(everybody, { maxNesting: MAX_NESTING });
    const log = openClient(url);
    await log.reaches('open');
    const texts = [
      '[{'.repeat(MAX_NESTING),
      `\\"${'['.repeat(MAX_NESTING)}`,
      `\\\\${'{'.repeat(MAX_NESTING)}`,
    ];

    const outcomes = await Promise.all(
      texts.map((text) => outcomeOf(log.client.send('deep', { [text]: text }))),
    );

    expect(outcomes).toEqual(texts.map(() => ({ answer: 'deep enough' })));
  });

  it('is answered without its id one level over it, where a peer is not as careful', async () => {
    const { app } = await startClientApp(everybody, { maxNesting: MAX_NESTING });
    const peer = await app.connect('/ws');

    const ack = await peer.request('deep', nested(MAX_NESTING));
    peer.send({ event: 'deep', data: nested(MAX_NESTING + 1), id: 'deeper' });

    expect(ack).toMatchObject({ data: 'deep enough' });
    expect(await peer.next()).toMatchObject({ event: 'exception', data: { code: 'bad_frame' } });
  });
});

describe('a queue', () => {
  it('takes maxQueue messages while the server is away, and rejects one more', async () => {
    const { app, desk } = await startClientApp(everybody);
    const proxy = await app.proxy();
    proxy.refuse = true;
    const log = openClient(proxy.url('/ws'), { maxQueue: 3 });
    await log.reaches('waiting');

    const waiting = ['a', 'b', 'c'].map((text) => outcomeOf(log.client.send('say', text)));
    const over = await outcomeOf(log.client.send('say', 'd'));
    proxy.refuse = false;
    const answers = await Promise.all(waiting);

    expect(over).toEqual({ code: 'queue_full' });
    expect(answers).toEqual([{ answer: 'heard a' }, { answer: 'heard b' }, { answer: 'heard c' }]);
    expect(desk.dataOf('say')).toEqual(['a', 'b', 'c']);
    expect(await log.client.send('say', 'd')).toBe('heard d');
  });

  it('takes exactly maxQueueBytes, and rejects one byte more', async () => {
    const { app } = await startClientApp(everybody);
    const proxy = await app.proxy();
    proxy.refuse = true;
    const log = openClient(proxy.url('/ws'), { maxQueueBytes: 2 * MAX_MESSAGE_BYTES });
    await log.reaches('waiting');

    const first = outcomeOf(log.client.send('say', textOf(MAX_MESSAGE_BYTES, 'grüße')));
    const over = await outcomeOf(log.client.send('say', textOf(MAX_MESSAGE_BYTES + 1)));
    const second = outcomeOf(log.client.send('say', textOf(MAX_MESSAGE_BYTES)));
    proxy.refuse = false;

    expect(over).toEqual({ code: 'queue_full' });
    expect(await Promise.all([first, second])).toEqual([
      { answer: expect.stringContaining('heard grüße') },
      { answer: expect.stringContaining('heard x') },
    ]);
  });

  it('counts what is sent and not answered', async () => {
    const { url } = await startClientApp(everybody);
    const log = openClient(url, { maxQueue: 1 });
    await log.reaches('open');

    void outcomeOf(log.client.send('hang'));

    expect(await outcomeOf(log.client.send('say', 'one more'))).toEqual({ code: 'queue_full' });
  });

  it('sends on behind more messages than the server takes at once', async () => {
    const { desk, url } = await startClientApp(everybody, { maxInFlight: 4 });
    const { client } = openClient(url);
    const texts = Array.from({ length: 100 }, (_, n) => `${n}`);

    const answers = await Promise.all(texts.map((text) => client.send('say', text)));

    expect(answers).toEqual(texts.map((text) => `heard ${text}`));
    // Not one of them was refused with `rate_limited` and sent again.
    expect(desk.dataOf('say')).toEqual(texts);
  });
});

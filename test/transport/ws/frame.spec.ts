import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TestClient } from 'nestjs-channels/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EncodedFrame } from '../../../lib/core/encoded-frame.js';
import {
  framedText,
  joinedTexts,
  MAX_JOINED_BYTES,
  MAX_TEXT_BYTES,
  WIRE_ENCODING,
  type WireBytes,
} from '../../../lib/transport/ws/frame.js';

/** RFC 6455, section 1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** What a socket makes of it. */
function bytesOf(bytes: WireBytes | undefined): Buffer {
  if (bytes === undefined) throw new Error('there are none');
  return typeof bytes === 'string' ? Buffer.from(bytes, WIRE_ENCODING) : Buffer.from(bytes);
}

/** Upgrades by hand and sends the bytes, so that nothing but a real client judges them. */
async function serve(bytes: readonly Uint8Array[]): Promise<string> {
  const server = createServer();
  server.on('upgrade', (request, socket) => {
    const accept = createHash('sha1')
      .update(`${request.headers['sec-websocket-key']}${GUID}`)
      .digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    socket.write(Buffer.concat(bytes));
  });
  onTestFinished(() => void server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function receive(texts: readonly string[]): Promise<unknown[]> {
  const url = await serve(texts.map((text) => bytesOf(framedText(new EncodedFrame(text)))));
  await using client = await TestClient.connect(url, { protocols: [] });
  const received: unknown[] = [];
  for (const _ of texts) received.push(await client.next());
  return received;
}

describe('framedText', () => {
  // A length stands in 7 bits up to 125, in 16 up to 65535, in 64 beyond; one over each limit, too.
  it.each([0, 1, 125, 126, 127, 65_535, 65_536, 65_537])(
    'makes a frame of %d bytes that a client decodes',
    async (length) => {
      const text = 'x'.repeat(length);

      const received = await receive([text, 'behind it']);

      expect(received).toEqual([text, 'behind it']);
    },
  );

  it.each([
    ['two bytes', 'é'.repeat(63)],
    ['three bytes', '€'.repeat(42)],
    ['four bytes', '😀'.repeat(32)],
    ['two bytes over the 16 bits', 'é'.repeat(32_768)],
  ])('counts bytes and not characters of %s each', async (_what, text) => {
    expect(await receive([text, 'behind it'])).toEqual([text, 'behind it']);
  });

  it('uses the shortest form of the length, unmasked and in one fragment', () => {
    const headers = [125, 126, 65_536].map((length) => {
      const bytes = bytesOf(framedText(new EncodedFrame('x'.repeat(length))));
      return [...bytes.subarray(0, bytes.length - length)];
    });

    expect(headers).toEqual([
      [0x81, 125],
      [0x81, 126, 0, 126],
      [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0],
    ]);
  });

  it('makes a text for the first who gets it, and a buffer that all others share', () => {
    const frame = new EncodedFrame('shared');

    const [first, second, third] = [framedText(frame), framedText(frame), framedText(frame)];

    expect(first).toBeTypeOf('string');
    expect(second).toBeInstanceOf(Buffer);
    expect(third).toBe(second);
    expect(second).toEqual(bytesOf(first));
  });

  it.each([
    ['has characters beyond ASCII', 'gemeinsam f\u00fcr alle'],
    ['is longer than a text may be', 'x'.repeat(MAX_TEXT_BYTES + 1)],
  ])('makes a buffer at once of what %s', (_what, text) => {
    const frame = new EncodedFrame(text);

    expect(framedText(frame)).toBeInstanceOf(Buffer);
    expect(framedText(frame)).toBe(framedText(frame));
  });

  it('makes a text of the longest that may be one', () => {
    expect(framedText(new EncodedFrame('x'.repeat(MAX_TEXT_BYTES)))).toBeTypeOf('string');
  });
});

describe('joinedTexts', () => {
  const framesOf = (...texts: readonly string[]): EncodedFrame[] =>
    texts.map((text) => new EncodedFrame(text));

  it('makes of the frames of a turn what a client decodes as each of them', async () => {
    const texts = ['', 'a', '€'.repeat(42), 'x'.repeat(125), 'y'.repeat(126), '😀'.repeat(2_000)];
    const url = await serve([bytesOf(joinedTexts(framesOf(...texts)))]);
    await using client = await TestClient.connect(url, { protocols: [] });

    const received = [];
    for (const _ of texts) received.push(await client.next());

    expect(received).toEqual(texts);
  });

  it('takes what was framed before as it is', () => {
    const [first, second] = framesOf('first', 'second') as [EncodedFrame, EncodedFrame];
    const apart = Buffer.concat(
      [first, new EncodedFrame('second')].map((frame) => bytesOf(framedText(frame))),
    );
    framedText(first);

    expect(joinedTexts([first, second])).toEqual(apart);
  });

  it('makes a text for the first who gets the same frames, and a buffer that all others share', () => {
    const frames = framesOf('one', 'two', 'three');

    const [first, second, third] = [0, 1, 2].map(() => joinedTexts([...frames]));

    expect(first).toBeTypeOf('string');
    expect(second).toBeInstanceOf(Buffer);
    expect(third).toBe(second);
    expect(second).toEqual(bytesOf(first));
  });

  it.each([
    ['short', ['a', 'b'.repeat(125)]],
    ['with headers of four bytes', ['a'.repeat(126), 'b'.repeat(300), 'c'.repeat(3_000)]],
  ])('makes of frames that are %s the same bytes as a text and as a buffer', (_what, texts) => {
    const [asText, asBuffer] = [framesOf(...texts), framesOf(...texts)];
    for (const frame of asBuffer) framedText(frame);
    for (const frame of asBuffer) framedText(frame);

    expect(bytesOf(joinedTexts(asText))).toEqual(bytesOf(joinedTexts(asBuffer)));
  });

  it('keeps nothing of them when the turn is over', async () => {
    const frames = framesOf('one', 'two', 'three');
    const [, inOneTurn] = [joinedTexts(frames), joinedTexts(frames)];
    await Promise.resolve();

    const [, inAnother] = [joinedTexts(frames), joinedTexts(frames)];

    expect(inAnother).not.toBe(inOneTurn);
    expect(inAnother).toEqual(inOneTurn);
  });

  it.each([
    ['more before the last', (frames: readonly EncodedFrame[]) => frames.slice(1)],
    ['less', (frames: readonly EncodedFrame[]) => [...framesOf('other'), ...frames]],
    ['others', (frames: readonly EncodedFrame[]) => [...framesOf('other', 'one'), ...frames.slice(2)]],
  ])('makes others for whom gets %s', (_what, change) => {
    const frames = framesOf('one', 'two', 'three');
    joinedTexts(frames);

    const changed = change(frames);

    const apart = changed.map(({ text }) => bytesOf(framedText(new EncodedFrame(text))));
    expect(bytesOf(joinedTexts(changed))).toEqual(Buffer.concat(apart));
  });

  it('joins up to its limit, headers included', () => {
    const longest = 'x'.repeat(MAX_JOINED_BYTES - 6);

    expect(joinedTexts(framesOf(longest.slice(4), 'ab'))).toHaveLength(MAX_JOINED_BYTES - 2);
    expect(joinedTexts(framesOf(longest.slice(4), 'abcd'))).toHaveLength(MAX_JOINED_BYTES);
    expect(joinedTexts(framesOf(longest.slice(4), 'abcde'))).toBeUndefined();
  });
});

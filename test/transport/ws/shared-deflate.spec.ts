import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { duplexPair, Transform } from 'node:stream';
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { EncodedFrame } from '../../../lib/core/encoded-frame.js';
import { findDeflateFault } from '../../../lib/transport/ws/deflate-self-test.js';
import { framedText, WIRE_ENCODING } from '../../../lib/transport/ws/frame.js';
import {
  deflatedText,
  deflateOptions,
  inflateAtOnce,
  MAX_INFLATED_PER_TURN,
} from '../../../lib/transport/ws/shared-deflate.js';
import { clientFrame, parseFrame, upgradeRequest } from '../../support/raw-socket.js';

/** As a peer does it: RFC 7692, section 7.2.1. */
function clientFrameOf(text: string): Buffer {
  const frame = clientFrame(deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4));
  frame.writeUInt8(frame.readUInt8(0) | 0x40);
  return frame;
}

/** As a peer does it: RFC 7692, section 7.2.2. */
function inflate(payload: Uint8Array): string {
  const whole = Buffer.concat([payload, Buffer.from([0, 0, 0xff, 0xff])]);
  return inflateRawSync(whole, { finishFlush: constants.Z_SYNC_FLUSH }).toString();
}

describe('deflatedText', () => {
  it.each([
    ['short', 'ab'.repeat(50)],
    ['with a length of 16 bits', Array.from({ length: 5_000 }, (_, at) => `${at} `).join('')],
    ['with a length of 64 bits', Array.from({ length: 80_000 }, (_, at) => `${at} `).join('')],
    ['of characters of four bytes', '😀é'.repeat(500)],
  ])('makes a frame %s that says so and inflates to the text', (_what, text) => {
    const bytes = deflatedText(new EncodedFrame(text));
    const frame = parseFrame(Buffer.from(bytes));

    expect(frame).toMatchObject({ opcode: 1, isDeflated: true, length: bytes.length });
    expect(inflate(frame?.payload as Buffer)).toBe(text);
  });

  it('makes the bytes once for all who get them', () => {
    const frame = new EncodedFrame('shared '.repeat(100));

    expect(deflatedText(frame)).toBe(deflatedText(frame));
  });

  it('leaves a text as it is that would not become shorter', () => {
    const frame = new EncodedFrame('7f3a');

    expect(deflatedText(frame)).toEqual(Buffer.from(framedText(frame) as string, WIRE_ENCODING));
  });
});

describe('the self-test at start', () => {
  it('finds no fault in the installed ws', async () => {
    expect(await findDeflateFault()).toBeUndefined();
  });

  it.each([
    ['no deflated text', () => Buffer.from([0xc1, 3, 1, 2, 3]), /stored block/],
    [
      'another text',
      () => Buffer.from(framedText(new EncodedFrame('another')) as string, WIRE_ENCODING),
      /something else/,
    ],
    ['a frame that violates the protocol', () => Buffer.from([0xf1, 0]), /RSV/],
  ])('finds a frame that is %s', async (_what, deflate, fault) => {
    expect(await findDeflateFault(deflate)).toMatch(fault);
  });
});

describe('inflateAtOnce', () => {
  /** Both ends of a connection that compresses everything. */
  async function connect(
    prepare: (socket: WebSocket) => void,
  ): Promise<{ socket: WebSocket; peer: WebSocket }> {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: deflateOptions(0) });
    onTestFinished(() => server.close());
    await once(server, 'listening');
    const peer = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, {
      perMessageDeflate: { threshold: 0 },
    });
    onTestFinished(() => peer.terminate());
    const [socket] = (await once(server, 'connection')) as [WebSocket];
    prepare(socket);
    await once(peer, 'open');
    return { socket, peer };
  }

  /** What a server has of a peer that has sent it a compressed message. */
  async function streamAfterMessage(prepare: (socket: WebSocket) => void): Promise<unknown> {
    const { socket, peer } = await connect(prepare);
    peer.send('said');
    const [message] = (await once(socket, 'message')) as [Buffer];
    expect(message.toString()).toBe('said');
    const { _extensions: extensions } = socket as unknown as {
      _extensions: Record<string, { readonly _inflate: unknown }>;
    };
    return extensions['permessage-deflate']?.['_inflate'];
  }

  it('keeps no stream, where ws has one for each peer that compresses', async () => {
    expect(await streamAfterMessage(() => undefined)).toBeInstanceOf(Transform);
    expect(await streamAfterMessage((socket) => inflateAtOnce(socket, 100))).toBeNull();
  });

  /** How many turns of the event loop pass while so many messages are read that have come in one chunk. */
  async function turnsFor(count: number, text: string): Promise<number> {
    const http = createServer();
    const server = new WebSocketServer({ server: http, perMessageDeflate: deflateOptions(0) });
    const [here, there] = duplexPair();
    onTestFinished(() => void there.destroy());
    http.emit('connection', here);
    there.write(upgradeRequest('/', { 'Sec-WebSocket-Extensions': 'permessage-deflate' }));
    const [socket] = (await once(server, 'connection')) as [WebSocket];
    inflateAtOnce(socket, text.length);
    let turns = 0;
    let next = setImmediate(turn);
    function turn(): void {
      turns++;
      next = setImmediate(turn);
    }
    onTestFinished(() => clearImmediate(next));
    const times: number[] = [];
    const read = new Promise<void>((resolve) => {
      socket.on('message', (message: Buffer) => {
        expect(message).toHaveLength(text.length);
        times.push(turns);
        if (times.length === count) resolve();
      });
    });

    there.write(Buffer.concat(Array.from({ length: count }, () => clientFrameOf(text))));

    await read;
    return (times.at(-1) as number) - (times[0] as number);
  }

  it('reads short messages that come at once in one turn of the event loop', async () => {
    expect(await turnsFor(100, 'said')).toBe(0);
  });

  it('leaves the loop to others between messages that a peer has packed well', async () => {
    const bytes = 65_536;

    const turns = (100 * bytes) / MAX_INFLATED_PER_TURN;
    expect(await turnsFor(100, 'x'.repeat(bytes))).toBeGreaterThanOrEqual(turns - 1);
  });

  it('says so where ws has nothing of the kind', () => {
    const socket = { _extensions: { 'permessage-deflate': {} } } as unknown as WebSocket;

    expect(() => inflateAtOnce(socket, 1)).toThrow('ws inflates in another way');
  });
});

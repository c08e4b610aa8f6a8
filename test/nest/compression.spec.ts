import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { Logger } from '@nestjs/common';
import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { ChannelSocket, SubscribeChannel, type ChannelsModuleOptions } from 'nestjs-channels';
import type { ChannelsTestApp } from 'nestjs-channels/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket } from 'ws';
import { clientFrame, Opcode, RawSocket, upgradeRequest, type RawFrame } from '../support/raw-socket.js';
import { RecordingObserver } from '../support/recording-observer.js';
import { startApp } from '../support/start-app.js';

const THRESHOLD = 200;
const LONG = 'the same again and again, '.repeat(20);

@WebSocketGateway({ path: '/ws' })
class RoomGateway {
  @SubscribeChannel('room:{id}')
  join(): void {}

  @SubscribeMessage('echo')
  echo(@MessageBody() data: unknown): unknown {
    return data;
  }

  /** Writes by itself between what the library writes. */
  @SubscribeMessage('mix')
  mix(@ConnectedSocket() socket: ChannelSocket & { send(text: string): void }): string {
    socket.push('pushed', LONG);
    socket.send(JSON.stringify({ event: 'sent', data: LONG }));
    socket.push('pushed', 'short');
    socket.push('pushed', LONG);
    return LONG;
  }
}

@WebSocketGateway({ path: '/own', perMessageDeflate: { threshold: 0 } })
class OwnGateway extends RoomGateway {}

async function start(compression: ChannelsModuleOptions['compression'] = { threshold: THRESHOLD }) {
  return startApp({ providers: [RoomGateway, OwnGateway], channels: { compression } });
}

/** A peer that has offered compression and is in a room. */
async function join(app: ChannelsTestApp, offer?: string, path = '/ws'): Promise<RawSocket> {
  const socket = await RawSocket.connect(app.port);
  socket.write(upgradeRequest(path, offer === undefined ? {} : { 'Sec-WebSocket-Extensions': offer }));
  socket.write(clientFrame(JSON.stringify({ event: '$subscribe', id: 1, data: { channel: 'room:1' } })));
  await socket.until(() => socket.response.frames.length === 1);
  return socket;
}

/** What has come behind the ack of the subscription. */
async function next(socket: RawSocket, count = 1): Promise<readonly RawFrame[]> {
  await socket.until(() => socket.response.frames.length > count);
  return socket.response.frames.slice(1);
}

function textOf({ payload, isDeflated }: RawFrame): unknown {
  const whole = Buffer.concat([payload, Buffer.from([0, 0, 0xff, 0xff])]);
  const text = isDeflated ? inflateRawSync(whole, { finishFlush: constants.Z_SYNC_FLUSH }) : payload;
  return JSON.parse(text.toString());
}

const OFFER = 'permessage-deflate; client_max_window_bits';

function echoOf(id: number): string {
  return JSON.stringify({ event: 'echo', id, data: LONG });
}

function deflated(message: string): Buffer {
  return deflateRawSync(message, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
}

/** With the bit that says so. */
function deflatedFrame(payload: Buffer, options?: Parameters<typeof clientFrame>[1]): Buffer {
  const frame = clientFrame(payload, options);
  frame.writeUInt8(frame.readUInt8(0) | 0x40);
  return frame;
}

function closeCodeOf({ opcode, payload }: RawFrame): number {
  expect(opcode).toBe(Opcode.Close);
  return payload.readUInt16BE();
}

describe('compression', () => {
  it('agrees on messages that need none before them, whatever the peer has offered', async () => {
    const app = await start();

    const heads = await Promise.all(
      [OFFER, 'permessage-deflate', undefined].map(async (offer) => (await join(app, offer)).response.head),
    );

    const [whole, plain, none] = heads.map((head) => /^sec-websocket-extensions: (.*)$/im.exec(head)?.[1]);
    expect(whole).toBe('permessage-deflate; server_no_context_takeover; client_no_context_takeover');
    expect(plain).toBe(whole);
    expect(none).toBeUndefined();
  });

  it('makes one frame for all who have agreed, and another one for the rest', async () => {
    const app = await start();
    const [ada, grace, alan] = [await join(app, OFFER), await join(app, OFFER), await join(app)];

    await app.channels.publish('room:1', 'news', LONG);
    const frames = await Promise.all([ada, grace, alan].map(async (socket) => (await next(socket))[0]));

    const [first, second, plain] = frames as [RawFrame, RawFrame, RawFrame];
    expect([first.isDeflated, second.isDeflated, plain.isDeflated]).toEqual([true, true, false]);
    expect(second.payload).toEqual(first.payload);
    expect(first.payload.length).toBeLessThan(plain.payload.length / 2);
    const publication = { channel: 'room:1', event: 'news', data: LONG };
    expect(frames.map((frame) => textOf(frame as RawFrame))).toEqual([publication, publication, publication]);
  });

  it.each([
    ['shorter than the threshold', THRESHOLD - 1, false],
    ['of the threshold', THRESHOLD, true],
  ])('of a frame %s: %d bytes', async (_what, length, isDeflated) => {
    const app = await start();
    const socket = await join(app, OFFER);
    const empty = JSON.stringify({ channel: 'room:1', event: 'news', data: '' });

    await app.channels.publish('room:1', 'news', 'x'.repeat(length - empty.length));

    expect(await next(socket)).toMatchObject([{ isDeflated }]);
  });

  it('begins at 1,024 bytes where nothing is said', async () => {
    const app = await start({});
    const socket = await join(app, OFFER);

    await app.channels.publish('room:1', 'news', 'x'.repeat(900));
    await app.channels.publish('room:1', 'news', 'x'.repeat(1_024));

    expect(await next(socket, 2)).toMatchObject([{ isDeflated: false }, { isDeflated: true }]);
  });

  it('of an answer', async () => {
    const app = await start();
    const socket = await join(app, OFFER);

    socket.write(clientFrame(JSON.stringify({ event: 'echo', id: 2, data: LONG })));
    const [answer] = await next(socket);

    expect(answer?.isDeflated).toBe(true);
    expect(textOf(answer as RawFrame)).toEqual({ ack: 2, data: LONG });
  });

  describe('of what a peer sends', () => {
    it('reads it', async () => {
      const app = await start();
      const socket = await join(app, OFFER);

      socket.write(deflatedFrame(deflated(echoOf(2))));

      expect((await next(socket)).map(textOf)).toEqual([{ ack: 2, data: LONG }]);
    });

    it('reads it in fragments, with a ping between them', async () => {
      const app = await start();
      const socket = await join(app, OFFER);
      const bytes = deflated(echoOf(2));

      socket.write(deflatedFrame(bytes.subarray(0, 3), { fin: false }));
      socket.write(clientFrame(bytes.subarray(3, 9), { fin: false, opcode: Opcode.Continuation }));
      socket.write(clientFrame('still here', { opcode: Opcode.Ping }));
      socket.write(clientFrame(bytes.subarray(9), { opcode: Opcode.Continuation }));

      const [pong, answer] = await next(socket, 2);
      expect(pong).toMatchObject({ opcode: Opcode.Pong, payload: Buffer.from('still here') });
      expect(textOf(answer as RawFrame)).toEqual({ ack: 2, data: LONG });
    });

    it('reads a message that ends its stream', async () => {
      const app = await start();
      const socket = await join(app, OFFER);

      socket.write(deflatedFrame(deflateRawSync(echoOf(2))));
      socket.write(deflatedFrame(deflated(echoOf(3))));

      expect((await next(socket, 2)).map(textOf)).toMatchObject([{ ack: 2 }, { ack: 3 }]);
    });

    it('reads in order what comes at once, however many there are, and what comes behind it', async () => {
      const app = await startApp({
        providers: [RoomGateway],
        channels: { compression: {}, messagesPerSecond: 0, bytesPerSecond: 0 },
      });
      const socket = await join(app, OFFER);
      const ids = Array.from({ length: 5_000 }, (_, at) => at + 2);
      const frameOf = (id: number): Buffer => deflatedFrame(deflated(JSON.stringify({ event: 'echo', id })));

      socket.write(Buffer.concat(ids.map(frameOf)));
      const answers = await next(socket, ids.length);
      socket.write(frameOf(1));
      const last = (await next(socket, ids.length + 1)).at(-1);

      expect(answers.map(textOf)).toEqual(ids.map((ack) => ({ ack })));
      expect(textOf(last as RawFrame)).toEqual({ ack: 1 });
    });

    it('reads what stands behind a last block, as ws does', async () => {
      const app = await start();
      const socket = await join(app, OFFER);
      const text = echoOf(2);

      socket.write(deflatedFrame(Buffer.concat([deflateRawSync(text), Buffer.from([0])])));
      socket.write(deflatedFrame(deflated(echoOf(3))));

      expect((await next(socket, 2)).map(textOf)).toMatchObject([{ ack: 2 }, { ack: 3 }]);
    });

    it('forgets what a peer has begun that goes, and hears nothing behind a close', async () => {
      const recorder = new RecordingObserver();
      const app = await startApp({
        providers: [RoomGateway],
        channels: { compression: {}, observers: [recorder] },
      });
      const [gone, closed] = [await join(app, OFFER), await join(app, OFFER)];
      const bytes = deflated(echoOf(2));

      gone.write(deflatedFrame(bytes.subarray(0, 5), { fin: false }));
      gone.destroy();
      closed.write(Buffer.concat([deflatedFrame(Buffer.from('broken')), deflatedFrame(bytes)]));

      expect(closeCodeOf((await next(closed))[0] as RawFrame)).toBe(1_007);
      await recorder.until(({ closes }) => closes.length === 2);
      expect(recorder.failures).toEqual([]);
    });

    it.each([
      ['one message', (bytes: Buffer) => [deflatedFrame(bytes)]],
      [
        'fragments',
        (bytes: Buffer) => [
          deflatedFrame(bytes.subarray(0, 5), { fin: false }),
          clientFrame(bytes.subarray(5), { opcode: Opcode.Continuation }),
        ],
      ],
    ])('takes maxMessageBytes in %s, and closes with 1009 for one more', async (_what, framesOf) => {
      const app = await startApp({
        providers: [RoomGateway],
        channels: { compression: {}, maxMessageBytes: echoOf(2).length },
      });
      const [within, over] = [await join(app, OFFER), await join(app, OFFER)];

      for (const frame of framesOf(deflated(echoOf(2)))) within.write(frame);
      for (const frame of framesOf(deflated(echoOf(22)))) over.write(frame);

      expect((await next(within)).map(textOf)).toEqual([{ ack: 2, data: LONG }]);
      expect(closeCodeOf((await next(over))[0] as RawFrame)).toBe(1_009);
    });

    it('closes with 1007 for what is not deflated', async () => {
      const app = await start();
      const socket = await join(app, OFFER);

      socket.write(deflatedFrame(Buffer.from('not deflated at all')));

      expect(closeCodeOf((await next(socket))[0] as RawFrame)).toBe(1_007);
    });
  });

  it('keeps the order of what is pushed and what ws sends', async () => {
    const app = await start();
    const socket = await join(app, OFFER);

    socket.write(clientFrame(JSON.stringify({ event: 'mix', id: 2 })));
    const frames = await next(socket, 5);

    expect(frames.map(textOf)).toEqual([
      { event: 'pushed', data: LONG },
      { event: 'sent', data: LONG },
      { event: 'pushed', data: 'short' },
      { event: 'pushed', data: LONG },
      { ack: 2, data: LONG },
    ]);
  });

  it('keeps the order where the library goes on while ws compresses', async () => {
    const app = await start();
    const socket = await join(app, OFFER);

    for (let at = 0; at < 20; at++) {
      socket.write(clientFrame(JSON.stringify({ event: 'mix', id: at + 2 })));
      await app.channels.publish('room:1', 'news', LONG);
    }
    const frames = await next(socket, 20 * 6);

    const mixed = frames.map(textOf).filter((frame) => !Object.hasOwn(frame as object, 'channel'));
    const expected = Array.from({ length: 20 }, (_, at) => [
      { event: 'pushed', data: LONG },
      { event: 'sent', data: LONG },
      { event: 'pushed', data: 'short' },
      { event: 'pushed', data: LONG },
      { ack: at + 2, data: LONG },
    ]);
    expect(mixed).toEqual(expected.flat());
    expect(frames).toHaveLength(20 * 6);
  });

  it('sends everything as it is to a peer that has asked for a window', async () => {
    const app = await start();
    const socket = await join(app, 'permessage-deflate; server_max_window_bits=15');

    await app.channels.publish('room:1', 'news', LONG);
    socket.write(clientFrame(JSON.stringify({ event: 'mix', id: 2 })));
    const frames = await next(socket, 6);

    expect(frames.map(({ isDeflated }) => isDeflated)).toEqual(frames.map(() => false));
    expect(textOf(frames[0] as RawFrame)).toMatchObject({ event: 'news', data: LONG });
  });

  it('sends what the application itself has sent as it is: to compress it takes memory for each connection', async () => {
    const app = await start();
    const socket = await join(app, OFFER);

    socket.write(clientFrame(JSON.stringify({ event: 'mix', id: 2 })));
    const frames = await next(socket, 5);

    expect(frames.map(({ isDeflated }) => isDeflated)).toEqual([true, false, false, true, true]);
  });

  it('leaves a gateway that has options of its own to ws', async () => {
    const app = await start();
    const socket = await join(app, OFFER, '/own');

    await app.channels.publish('room:1', 'news', 'short');

    expect(socket.response.head).not.toMatch(/no_context_takeover/);
    expect(await next(socket)).toMatchObject([{ opcode: Opcode.Text, isDeflated: true }]);
  });

  it.each([[{ threshold: -1 }], [{ threshold: 1.5 }], [{ threshold: '1024' }], [true], [null]])(
    'refuses the start with %j',
    async (compression) => {
      await expect(start(compression as never)).rejects.toThrow(
        `compression (${JSON.stringify(compression)}) must be an object such as { threshold: 1024 }`,
      );
    },
  );

  it('refuses the start beside an option of ws for the same', async () => {
    const channels = { compression: {}, server: { perMessageDeflate: true } };

    await expect(startApp({ providers: [RoomGateway], channels })).rejects.toThrow(
      'compression and server.perMessageDeflate exclude each other',
    );
  });
});

describe('compression that the installed ws would break', () => {
  /** An application that finds at its start that a peer agrees on something else. */
  async function startBroken(): Promise<ChannelsTestApp> {
    const broken = vi.spyOn(WebSocket.prototype, 'extensions', 'get').mockReturnValue('something-else');
    try {
      return await start();
    } finally {
      broken.mockRestore();
    }
  }

  it('is left out with a warning, where all gets through as it is', async () => {
    const warn = vi.spyOn(Logger.prototype, 'warn');
    onTestFinished(() => warn.mockRestore());
    const app = await startBroken();
    const socket = await join(app, OFFER);

    await app.channels.publish('room:1', 'news', LONG);
    const [frame] = await next(socket);

    expect(warn.mock.calls.flat().join()).toContain(
      'compression: nothing is compressed, because ws has agreed on no compression.',
    );
    expect(socket.response.head).not.toMatch(/sec-websocket-extensions/i);
    expect(textOf(frame as RawFrame)).toEqual({ channel: 'room:1', event: 'news', data: LONG });
  });

  it('leaves the option of a gateway as it is', async () => {
    const app = await startBroken();

    expect((await join(app, OFFER, '/own')).response.head).toMatch(/permessage-deflate/);
  });
});

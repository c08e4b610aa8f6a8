import { describe, expect, it } from 'vitest';
import { exceptionOf, expectUnharmed, MAX_EVENT_LENGTH, startHostile } from '../support/hostile-rig.js';
import { clientFrame, Opcode, RawSocket, upgradeRequest } from '../support/raw-socket.js';
import { RecordingObserver } from '../support/recording-observer.js';

describe('the length of an event', () => {
  it('is at most 128 characters', async () => {
    const rig = await startHostile();

    const [longest, longer] = [
      await rig.client.request('e'.repeat(MAX_EVENT_LENGTH)),
      await rig.client.request('e'.repeat(MAX_EVENT_LENGTH + 1)),
    ];

    expect(longest.data).toBe('longest');
    expect(longer.error).toMatchObject({ code: 'bad_request', retryable: false });
    await expectUnharmed(rig);
  });
});

describe('the length of a message', () => {
  const messageOf = (bytes: number): string => {
    const empty = '{"event":"echo","id":1,"data":""}';
    return empty.replace('""', `"${'x'.repeat(bytes - empty.length)}"`);
  };

  it('is at most maxMessageBytes; one more closes with 1009', async () => {
    const rig = await startHostile({ maxMessageBytes: 1_000 });

    rig.client.sendRaw(messageOf(1_000));
    const answer = await rig.client.next();
    rig.client.sendRaw(messageOf(1_001));

    expect(answer).toMatchObject({ ack: 1 });
    expect((await rig.client.closed).code).toBe(1009);
    expect(await rig.bystander.request('echo', 1)).toMatchObject({ data: 1 });
  });

  it('is what the server option maxPayload says, where the application gives one', async () => {
    const rig = await startHostile({ server: { maxPayload: 2_000 }, maxMessageBytes: 1_000 });

    rig.client.sendRaw(messageOf(2_000));
    const answer = await rig.client.next();
    rig.client.sendRaw(messageOf(2_001));

    expect(answer).toMatchObject({ ack: 1 });
    expect((await rig.client.closed).code).toBe(1009);
  });

  it('is counted in bytes of UTF-8', async () => {
    const rig = await startHostile({ maxMessageBytes: 1_000 });

    rig.client.sendRaw(messageOf(1_000).replace('x', 'ü'));

    expect((await rig.client.closed).code).toBe(1009);
  });

  it('is 64 KiB unless an option says otherwise', async () => {
    const rig = await startHostile();

    rig.client.sendRaw(messageOf(65_536));
    const answer = await rig.client.next();
    rig.client.sendRaw(messageOf(65_537));

    expect(answer).toMatchObject({ ack: 1 });
    expect((await rig.client.closed).code).toBe(1009);
  });
});

describe('a binary message', () => {
  it('is read as UTF-8', async () => {
    const { client } = await startHostile();

    client.sendRaw(Buffer.from('{"event":"echo","id":1,"data":"grün"}'));

    expect(await client.next()).toEqual({ ack: 1, data: 'grün' });
  });

  it.each([
    ['a byte that never stands in UTF-8', [0xff]],
    ['a cut sequence', [0x22, 0xc3]],
    ['a surrogate', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['nothing', []],
  ])('is a bad frame where it is none: %s', async (_, bytes) => {
    const rig = await startHostile();

    rig.client.sendRaw(Uint8Array.from(bytes));

    expect(await rig.client.next()).toEqual(exceptionOf('bad_frame'));
    await expectUnharmed(rig);
  });
});

describe('framing', () => {
  it.each([
    ['a text that is no UTF-8', clientFrame(Uint8Array.of(0xff, 0xfe)), 1007],
    ['an opcode that does not exist', clientFrame('x', { opcode: 3 }), 1002],
    ['a continuation of nothing', clientFrame('x', { opcode: Opcode.Continuation }), 1002],
    ['a control frame in fragments', clientFrame('x', { opcode: Opcode.Ping, fin: false }), 1002],
    [
      'too many fragments',
      Buffer.concat([
        clientFrame('"', { fin: false }),
        ...Array.from({ length: 256 }, () => clientFrame('x', { opcode: Opcode.Continuation, fin: false })),
      ]),
      1008,
    ],
  ])('closes with its code, and is counted: %s', async (_, bytes, code) => {
    const observer = new RecordingObserver();
    const rig = await startHostile({ observers: [observer] });
    const socket = await RawSocket.connect(rig.app.port);
    socket.write(upgradeRequest('/ws'), bytes);

    await socket.until(() => socket.closeCode !== undefined);

    expect(socket.closeCode).toBe(code);
    expect(observer.faults).toEqual(['broken_frame']);
    await expectUnharmed(rig);
  });

  it('takes a message in as many fragments as maxFragments allows', async () => {
    const rig = await startHostile({ maxFragments: 4 });
    const socket = await RawSocket.connect(rig.app.port);
    const [first, second, third, last] = ['{"event":"ec', 'ho","id":1,', '"data":"in', ' four"}'];

    socket.write(
      upgradeRequest('/ws'),
      clientFrame(first ?? '', { fin: false }),
      clientFrame(second ?? '', { opcode: Opcode.Continuation, fin: false }),
      clientFrame(third ?? '', { opcode: Opcode.Continuation, fin: false }),
      clientFrame(last ?? '', { opcode: Opcode.Continuation }),
    );
    await socket.until(() => socket.messages.length > 0);

    expect(socket.messages).toEqual([{ ack: 1, data: 'in four' }]);
  });
});

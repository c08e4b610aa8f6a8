import { expect, it } from 'vitest';
import { ClientRig } from './client-rig.js';

/** The bytes of the frame around data that is a text; ids of the rig have 22 characters. */
const AROUND = new TextEncoder().encode(JSON.stringify({ event: 'e', data: '', id: 'i'.repeat(22) })).length;

const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)]);

it('rejects with queue_full one over maxQueue', async () => {
  const rig = new ClientRig({ maxQueue: 2 });

  const sent = ['a', 'b', 'c'].map((event) => rig.send(event));
  await rig.pass(0);

  expect(sent.map(({ state }) => state)).toEqual(['pending', 'pending', 'rejected']);
  expect(sent[2]?.error).toMatchObject({ code: 'queue_full' });
});

it('counts messages in flight as waiting', async () => {
  const rig = await ClientRig.open({ maxQueue: 1 });
  rig.send('a');
  await rig.pass();

  const sent = rig.send('b');
  await rig.pass();

  expect(sent.error).toMatchObject({ code: 'queue_full' });
});

it('has room again when one is answered', async () => {
  const rig = await ClientRig.open({ maxQueue: 1 });
  rig.send('a');
  await rig.pass();

  rig.server.answer(rig.server.messages[0]);
  await rig.pass();
  const sent = rig.send('b');
  await rig.pass();

  expect(sent.state).toBe('pending');
});

it.each([
  [0, 'pending'],
  [1, 'rejected'],
])('takes frames up to maxQueueBytes: %i over is %s', async (over, state) => {
  const rig = new ClientRig({ maxQueueBytes: 2 * (AROUND + 10) });

  rig.send('e', 'x'.repeat(10));
  const sent = rig.send('e', 'x'.repeat(10 + over));
  await rig.pass(0);

  expect(sent.state).toBe(state);
});

it('gives the bytes of a message back when it is aborted', async () => {
  const rig = new ClientRig({ maxQueueBytes: AROUND + 10 });
  const controller = new AbortController();
  rig.send('e', 'x'.repeat(10), { signal: controller.signal });

  controller.abort();
  const sent = rig.send('e', 'x'.repeat(10));
  await rig.pass(0);

  expect(sent.state).toBe('pending');
});

it.each([
  ['ASCII', 'x', 1],
  ['two bytes each', '\u00e9', 2],
  ['three bytes each', '\u20ac', 3],
  ['four bytes each', '\u{1f600}', 4],
])('sends a frame of exactly maxMessageBytes, %s', async (_kind, char, bytes) => {
  const limit = AROUND + 10 * bytes;
  const rig = await ClientRig.open({}, ({ server }) => (server.limits['maxMessageBytes'] = limit));

  const sent = rig.send('e', char.repeat(10));
  await rig.pass();

  expect(sent.state).toBe('pending');
  expect(rig.server.messages).toHaveLength(1);
});

it.each([
  ['ASCII', 'x', 1],
  ['two bytes each', '\u00e9', 2],
  ['three bytes each', '\u20ac', 3],
  ['four bytes each', '\u{1f600}', 4],
])('rejects with payload_too_large one byte over maxMessageBytes, %s', async (_kind, char, bytes) => {
  const limit = AROUND + 10 * bytes;
  const rig = await ClientRig.open({}, ({ server }) => (server.limits['maxMessageBytes'] = limit));

  const sent = rig.send('e', `${char.repeat(10)}x`);
  await rig.pass();

  expect(sent.error).toMatchObject({ code: 'payload_too_large' });
  expect(rig.server.messages).toHaveLength(0);
});

it.each([
  ['half of an astral character', '\ud83d', 6],
  ['a quote', '"', 2],
  ['a control character', '\u0001', 6],
])('counts %s as what JSON makes of it', async (_kind, char, bytes) => {
  const rig = await ClientRig.open({}, ({ server }) => (server.limits['maxMessageBytes'] = AROUND + bytes));

  const fits = rig.send('e', char);
  const over = rig.send('e', `${char}x`);
  await rig.pass();

  expect([fits.state, over.error?.code]).toEqual(['pending', 'payload_too_large']);
});

it('rejects what was queued before the limit was known, and sends the rest', async () => {
  const rig = new ClientRig();
  rig.server.limits['maxMessageBytes'] = AROUND + 10;

  const over = rig.send('e', 'x'.repeat(11));
  const fits = rig.send('e', 'x'.repeat(10));
  await rig.pass(10);

  expect([over.error?.code, fits.state]).toEqual(['payload_too_large', 'pending']);
  expect(rig.server.messages).toHaveLength(1);
});

it('rejects at once while offline where the limit is known', async () => {
  const rig = await ClientRig.open({}, ({ server }) => (server.limits['maxMessageBytes'] = AROUND + 10));
  rig.server.peer.cut();
  await rig.pass(2);

  const sent = rig.send('e', 'x'.repeat(11));
  await rig.pass(0);

  expect(sent.error).toMatchObject({ code: 'payload_too_large' });
});

it('rejects what the next server takes no longer', async () => {
  const rig = await ClientRig.open();
  const sent = rig.send('e', 'x'.repeat(11));
  await rig.pass();
  rig.server.limits['maxMessageBytes'] = AROUND + 10;

  await rig.reconnect();

  expect(sent.error).toMatchObject({ code: 'payload_too_large' });
});

it.each([
  [31, 'pending'],
  [32, 'rejected'],
])(
  'nests data up to maxNesting, the frame being the first level: %i levels are %s',
  async (levels, state) => {
    const rig = await ClientRig.open();

    const sent = rig.send('e', nested(levels));
    await rig.pass();

    expect(sent.state).toBe(state);
    expect(sent.error?.code).toBe(state === 'pending' ? undefined : 'bad_request');
  },
);

it('counts no braces within texts as nesting', async () => {
  const rig = await ClientRig.open({}, ({ server }) => (server.limits['maxNesting'] = 2));

  const sent = rig.send('e', { 'a{[\\': '{"[[[\\"{{{\\\\' });
  await rig.pass();

  expect(sent.state).toBe('pending');
});

it.each([
  ['a BigInt', () => 1n],
  [
    'a cycle',
    () => ({
      get self(): unknown {
        return this;
      },
    }),
  ],
  [
    'a getter that throws',
    () => ({
      get boom(): never {
        throw new Error('boom');
      },
    }),
  ],
])('rejects %s with bad_request', async (_kind, data) => {
  const rig = await ClientRig.open();

  const sent = rig.send('e', data());
  await rig.pass();

  expect(sent.error).toMatchObject({ code: 'bad_request', cause: expect.any(Error) });
});

it.each(['$ping', '$hello', '$'])('refuses %s, which is the name of a command', async (event) => {
  const rig = await ClientRig.open();

  const sent = rig.send(event);
  await rig.pass();

  expect(sent.error).toBeInstanceOf(TypeError);
  expect(rig.server.frames).toHaveLength(1);
});

it('copes with a server that tells no limits', async () => {
  const rig = await ClientRig.open({}, ({ server }) => {
    server.onHello = () => ({ data: { connectionId: 'c', principal: '' } });
  });

  const sent = rig.send('e', nested(100));
  await rig.pass();

  expect(sent.state).toBe('pending');
  expect(rig.server.messages).toHaveLength(1);
});

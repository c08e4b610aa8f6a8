import { describe, expect, it } from 'vitest';
import { ChannelsClientError } from '../../lib/client/index.js';
import { Deferred } from '../support/deferred.js';
import { ClientRig } from './client-rig.js';

/** Lets the server ask, and gives what it has been answered so far. */
async function ask(rig: ClientRig, frame: object = {}): Promise<unknown[]> {
  rig.server.peer.send({ event: 'confirm', id: 'r1', ...frame });
  await rig.pass();
  return rig.server.peer.answers;
}

const INTERNAL = { ack: 'r1', error: { code: 'internal', message: 'The handler failed.' } };

describe('client.handle', () => {
  it.each([
    ['data', () => ({ yes: true }), { ack: 'r1', data: { yes: true } }],
    ['a promise of data', () => Promise.resolve([1]), { ack: 'r1', data: [1] }],
    ['null', () => null, { ack: 'r1', data: null }],
    ['nothing', () => undefined, { ack: 'r1' }],
    ['a function, which has no JSON', () => () => 1, { ack: 'r1' }],
  ])('answers with %s', async (_what, handler, answer) => {
    const rig = await ClientRig.open();
    rig.client.handle('confirm', handler);

    expect(await ask(rig)).toEqual([answer]);
  });

  it('hands over the data, and a signal that has not aborted', async () => {
    const rig = await ClientRig.open();
    const got: unknown[] = [];
    rig.client.handle('confirm', (data, { signal }) => void got.push(data, signal.aborted));

    await ask(rig, { data: { text: 'sure?' } });

    expect(got).toEqual([{ text: 'sure?' }, false]);
  });

  it.each([0, 7, '7', ''])('repeats the id as it was sent: %j', async (id) => {
    const rig = await ClientRig.open();
    rig.client.handle('confirm', () => 1);

    expect(await ask(rig, { id })).toEqual([{ ack: id, data: 1 }]);
  });

  it('answers several at once, each when it is done', async () => {
    const rig = await ClientRig.open();
    const gates = new Map([1, 2, 3].map((n) => [n, new Deferred<string>()]));
    rig.client.handle('confirm', (n) => gates.get(n as number)?.promise);
    for (const n of gates.keys()) await ask(rig, { id: n, data: n });

    gates.get(3)?.resolve('third');
    await rig.pass();
    gates.get(1)?.resolve('first');
    await rig.pass();

    expect(rig.server.peer.answers).toEqual([
      { ack: 3, data: 'third' },
      { ack: 1, data: 'first' },
    ]);
  });

  it('answers unknown_event without a handler, also where one comes later', async () => {
    const rig = await ClientRig.open();
    rig.client.on('confirm', () => undefined);

    const answers = await ask(rig);
    rig.client.handle('confirm', () => 1);
    await rig.pass();

    expect(answers).toEqual([
      { ack: 'r1', error: { code: 'unknown_event', message: 'Nothing handles confirm.' } },
    ]);
    expect(rig.errors).toEqual([]);
  });

  it.each(['toString', '__proto__', 'constructor'])('has no handler called %s', async (event) => {
    const rig = await ClientRig.open();

    expect(await ask(rig, { event })).toMatchObject([{ error: { code: 'unknown_event' } }]);
  });

  it('ends with the function that it returns, which may be called twice', async () => {
    const rig = await ClientRig.open();
    const first = rig.client.handle('confirm', () => 1);
    const handler = (): number => 2;

    first();
    const answers = [...(await ask(rig))];
    const second = rig.client.handle('confirm', handler);
    first();
    answers.push(...(await ask(rig)).slice(1));
    second();
    rig.client.handle('confirm', handler);
    second();
    answers.push(...(await ask(rig)).slice(2));

    expect(answers).toMatchObject([{ error: { code: 'unknown_event' } }, { data: 2 }, { data: 2 }]);
  });

  it('refuses a second handler of an event, and keeps the first', async () => {
    const rig = await ClientRig.open();
    rig.client.handle('confirm', () => 'first');

    expect(() => rig.client.handle('confirm', () => 'second')).toThrow(/confirm has a handler already/);

    expect(await ask(rig)).toEqual([{ ack: 'r1', data: 'first' }]);
  });

  it.each(['$ping', '$error'])('refuses the name of a command: %s', async (event) => {
    const rig = await ClientRig.open();

    expect(() => rig.client.handle(event, () => 1)).toThrow(TypeError);
  });

  it('connects: the server can ask nobody who is not there', async () => {
    const rig = new ClientRig();

    rig.client.handle('confirm', () => 1);
    await rig.pass(10);

    expect(rig.client.state.name).toBe('open');
    expect(await ask(rig)).toEqual([{ ack: 'r1', data: 1 }]);
  });

  it('stays over reconnects', async () => {
    const rig = await ClientRig.open();
    rig.client.handle('confirm', () => 1);

    await rig.reconnect();

    expect(await ask(rig)).toEqual([{ ack: 'r1', data: 1 }]);
  });

  it('throws with a plain server, whose events are events, whatever they have beside their data', async () => {
    const rig = await ClientRig.open({ server: 'plain' });
    const got: unknown[] = [];
    rig.client.on('confirm', (data) => got.push(data));

    const answers = await ask(rig, { data: 1 });

    expect(() => rig.client.handle('confirm', () => 1)).toThrow(/plain server has no requests/);
    expect([got, answers]).toEqual([[1], []]);
  });
});

describe('what is no request', () => {
  it('is an event without an id, which goes to the listeners alone', async () => {
    const rig = await ClientRig.open();
    const got: unknown[] = [];
    rig.client.handle('confirm', () => got.push('handler'));
    rig.client.on('confirm', (data) => got.push(data));

    const answers = await ask(rig, { id: undefined, data: 1 });

    expect([got, answers]).toEqual([[1], []]);
  });

  it('is a publication, a $ping and an unknown command, whatever id they have', async () => {
    const rig = await ClientRig.open();
    rig.client.handle('confirm', () => 1);

    await ask(rig, { channel: 'chat:lobby' });
    await ask(rig, { event: '$ping' });
    await ask(rig, { event: '$later' });

    expect(rig.server.peer.answers).toEqual([]);
    expect(rig.server.peer.of('$pong')).toHaveLength(1);
  });
});

describe('a handler that fails', () => {
  const secret = new Error('the password is hunter2');
  const circular: Record<string, unknown> = { password: 'hunter2' };
  circular['self'] = circular;

  it.each<[string, () => unknown, unknown]>([
    [
      'throws',
      () => {
        throw secret;
      },
      secret,
    ],
    ['rejects', () => Promise.reject(secret), secret],
    [
      'throws what is no error',
      () => {
        throw 'hunter2';
      },
      'hunter2',
    ],
    ['gives a circle', () => circular, expect.any(TypeError)],
    ['gives a BigInt', () => 1n, expect.any(TypeError)],
    [
      'gives what throws when it is looked at',
      () => ({
        toJSON: () => {
          throw secret;
        },
      }),
      secret,
    ],
  ])('tells the server nothing, and $error all, when it %s', async (_what, handler, cause) => {
    const rig = await ClientRig.open();
    rig.client.handle('confirm', handler);

    const answers = await ask(rig);

    expect(answers).toEqual([INTERNAL]);
    expect(rig.errors).toMatchObject([{ code: 'listener_failed', cause }]);
  });

  it.each([
    [
      'with all that it has',
      new ChannelsClientError('forbidden', 'Not now.', { details: { a: 1 }, cause: secret }),
      { code: 'forbidden', message: 'Not now.', details: { a: 1 } },
    ],
    ['without details', new ChannelsClientError('unavailable', ''), { code: 'unavailable', message: '' }],
  ])('is told by a ChannelsClientError %s', async (_what, error, told) => {
    const rig = await ClientRig.open();
    rig.client.handle('confirm', () => Promise.reject(error));

    const answers = await ask(rig);

    expect(answers).toEqual([{ ack: 'r1', error: told }]);
    expect(rig.errors).toEqual([]);
  });

  it.each([
    ['have no JSON', circular],
    ['are too large', 'x'.repeat(70_000)],
  ])('is internal where the details of its error %s', async (_what, details) => {
    const rig = await ClientRig.open();
    rig.client.handle('confirm', () =>
      Promise.reject(new ChannelsClientError('conflict', 'no', { details })),
    );

    expect(await ask(rig)).toEqual([INTERNAL]);
    expect(rig.errors).toMatchObject([{ code: 'listener_failed' }]);
  });
});

describe('an answer that the server would not take', () => {
  it.each([
    [0, [{ ack: 'r1', data: expect.any(String) }]],
    [
      1,
      [
        {
          ack: 'r1',
          error: { code: 'payload_too_large', message: expect.stringContaining('maxMessageBytes') },
        },
      ],
    ],
  ])('is an error instead: %i bytes more than maxMessageBytes', async (more, answers) => {
    const rig = await ClientRig.open({}, ({ server }) => (server.limits = { maxMessageBytes: 200 }));
    const around = JSON.stringify({ ack: 'r1', data: '' }).length;
    rig.client.handle('confirm', () => 'x'.repeat(200 - around + more));

    expect(await ask(rig)).toEqual(answers);
  });

  it.each([
    [3, { data: [[1]] }],
    [2, { error: { code: 'bad_request', message: expect.stringContaining('maxNesting') } }],
  ])('is an error instead: three levels of %i', async (maxNesting, answer) => {
    const rig = await ClientRig.open({}, ({ server }) => (server.limits = { maxNesting }));
    rig.client.handle('confirm', () => [[1]]);

    expect(await ask(rig)).toEqual([{ ack: 'r1', ...answer }]);
  });
});

describe('a request whose connection ends', () => {
  it('is answered to nobody, also when the client is back, and its signal aborts', async () => {
    const rig = await ClientRig.open();
    const gate = new Deferred<string>();
    const signals: AbortSignal[] = [];
    rig.client.handle('confirm', (_data, { signal }) => (signals.push(signal), gate.promise));
    await ask(rig);

    await rig.reconnect();
    const wasAborted = signals[0]?.aborted;
    gate.resolve('late');
    await rig.pass();

    expect(wasAborted).toBe(true);
    expect(rig.server.peers.flatMap(({ answers }) => answers)).toEqual([]);
  });

  it('may have come before the welcome, and is answered to nobody then as well', async () => {
    const rig = new ClientRig();
    rig.server.onHello = (peer) => void peer.send({ event: 'confirm', id: 'early' });
    const gate = new Deferred<string>();
    rig.client.handle('confirm', () => gate.promise);
    await rig.pass(10);
    rig.server.onHello = () => ({ data: rig.server.welcome() });

    await rig.reconnect();
    gate.resolve('late');
    await rig.pass();

    expect(rig.client.state.name).toBe('open');
    expect(rig.server.peers.flatMap(({ answers }) => answers)).toEqual([]);
  });

  it('is answered before the welcome where the connection lasts', async () => {
    const rig = new ClientRig();
    rig.server.onHello = (peer) => {
      peer.send({ event: 'confirm', id: 'early' });
      return { data: rig.server.welcome() };
    };
    const gate = new Deferred<string>();
    rig.client.handle('confirm', () => gate.promise);
    await rig.pass(10);

    gate.resolve('in time');
    await rig.pass();

    expect(rig.server.peer.answers).toEqual([{ ack: 'early', data: 'in time' }]);
  });

  it.each(['close', 'reset'] as const)('ends by %s() of its own handler as well', async (how) => {
    const rig = await ClientRig.open();
    rig.client.handle('confirm', () => rig.client[how]());

    rig.server.peer.send({ event: 'confirm', id: 'r1' });
    await rig.pass(20);

    expect(rig.server.peers.flatMap(({ answers }) => answers)).toEqual([]);
  });

  it('may be given up by a throw, which is no fault', async () => {
    const rig = await ClientRig.open();
    const stops = (_data: unknown, { signal }: { readonly signal: AbortSignal }): Promise<never> =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))));
    rig.client.handle('confirm', stops);
    await ask(rig);

    await rig.reconnect();

    expect(rig.errors).toEqual([]);
    expect(rig.client.state.name).toBe('open');
  });

  it('does not abort what has been answered', async () => {
    const rig = await ClientRig.open();
    const signals: AbortSignal[] = [];
    rig.client.handle('confirm', (_data, { signal }) => void signals.push(signal));
    await ask(rig);

    await rig.reconnect();

    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
  });
});

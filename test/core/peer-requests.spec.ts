import { describe, expect, it } from 'vitest';
import { Rig, say, settled, type Peer } from './engine-rig.js';
import { Desk, isSilent } from './peer-requests-rig.js';

describe('Connection.request', () => {
  it('sends the event, the data and an id of its own', async () => {
    const desk = await Desk.open();

    desk.ask('confirm', { text: 'sure?' });
    desk.ask('confirm');

    const [first, second] = await desk.sent();
    expect(first).toEqual({ event: 'confirm', data: { text: 'sure?' }, id: expect.any(String) });
    expect(second).toEqual({ event: 'confirm', id: expect.any(String) });
    expect(first?.id).not.toBe(second?.id);
  });

  it.each([
    ['an object', { data: { yes: [1] } }, { yes: [1] }],
    ['null', { data: null }, null],
    ['nothing', {}, undefined],
    ['data beside an error that is null', { data: 1, error: null }, 1],
    ['what the protocol does not know beside it', { data: 1, more: true, event2: 'x' }, 1],
  ])('resolves with %s', async (_what, answer, expected) => {
    const desk = await Desk.open();
    const asked = desk.ask();

    await desk.answer(answer);

    expect(asked).toEqual({ state: 'resolved', value: expected });
  });

  it('tells the answers of several requests apart, in any order', async () => {
    const desk = await Desk.open();
    const asked = ['a', 'b', 'c'].map((event) => desk.ask(event));

    await desk.answer({ data: 'for c' }, 2);
    await desk.answer({ data: 'for a' }, 0);
    await desk.answer({ data: 'for b' }, 1);

    expect(asked.map(({ value }) => value as string)).toEqual(['for a', 'for b', 'for c']);
  });

  it('takes the first answer; a second one is late', async () => {
    const desk = await Desk.open();
    const asked = desk.ask();

    await desk.answer({ data: 1 });
    await desk.answer({ error: { code: 'internal', message: 'no' } });

    expect(asked).toEqual({ state: 'resolved', value: 1 });
    expect(desk.faults).toEqual(['late_ack']);
  });

  it('is not answered by another connection', async () => {
    const desk = await Desk.open();
    const asked = desk.ask();
    const other = desk.rig.open();
    const [request] = await desk.sent();

    say(other, { ack: request?.id, data: 1 });
    await settled();

    expect(asked.state).toBe('pending');
    expect(desk.faults).toEqual(['late_ack']);
  });

  it('is answered by a plain connection as well', async () => {
    const rig = await Rig.start();
    const desk = new Desk(rig, rig.open({ ours: false }));
    const asked = desk.ask();

    await desk.answer({ data: 'plain' });

    expect(asked).toEqual({ state: 'resolved', value: 'plain' });
    expect(desk.peer.connection.ours).toBe(false);
  });

  it('is answered although as many messages are unanswered as may, and by a handler that waits for it', async () => {
    const handlers = [
      {
        event: 'ask',
        acked: true,
        handle: ({ connection }: { connection: Peer['connection'] }) =>
          connection.request('confirm', undefined),
      },
    ];
    const desk = await Desk.open({ handlers, maxInFlight: 1 });
    say(desk.peer, { event: 'ask', id: 'm' });

    await desk.answer({ data: 'yes' });

    expect(desk.peer.transport.frames.at(-1)).toBe('{"ack":"m","data":"yes"}');
  });
});

describe('The error of an answer', () => {
  it.each([
    ['as it is', { code: 'forbidden', message: 'no', details: { a: 1 } }, 'forbidden', 'no', { a: 1 }],
    ['with an unknown code', { code: 'too_lazy', message: 'no' }, 'internal', 'no', undefined],
    ['with a code of Object', { code: 'toString', message: 'no' }, 'internal', 'no', undefined],
    ['with a code that is no text', { code: 7, message: 'no' }, 'internal', 'no', undefined],
    ['without a text', { code: 'conflict' }, 'conflict', 'the client gave no reason', undefined],
    [
      'with a text that is none',
      { code: 'conflict', message: { a: 1 } },
      'conflict',
      'the client gave no reason',
      undefined,
    ],
    ['that is a text', 'no', 'internal', 'the client gave no reason', undefined],
    ['that is false', false, 'internal', 'the client gave no reason', undefined],
    ['that is a list', [], 'internal', 'the client gave no reason', undefined],
  ])('rejects %s', async (_what, error, code, message, details) => {
    const desk = await Desk.open();
    const asked = desk.ask();

    await desk.answer({ error, data: 'ignored' });

    expect(asked.state).toBe('rejected');
    expect(asked.error).toMatchObject({ name: 'ChannelsError', code, message });
    expect(asked.error.details).toEqual(details);
  });

  it.each([
    [1_024, 1_024],
    [1_025, 1_024],
  ])('has at most 1,024 characters of the text of the peer: %i', async (length, expected) => {
    const desk = await Desk.open();
    const asked = desk.ask();

    await desk.answer({ error: { code: 'internal', message: 'x'.repeat(length) } });

    expect(asked.error.message).toHaveLength(expected);
  });

  it.each(['forbidden', 'unavailable', 'rate_limited'])('is never retryable: %s', async (code) => {
    const desk = await Desk.open();
    const asked = desk.ask();

    await desk.answer({ error: { code, message: '', retryable: true, retryAfterMs: 1e9 } });

    expect(asked.error).toMatchObject({ code, retryable: false, retryAfterMs: undefined });
  });

  it('is bad_request for an answer with the key __proto__, which the peer is told as well', async () => {
    const desk = await Desk.open();
    const asked = desk.ask();
    const [request] = await desk.sent();

    desk.peer.connection.receive(`{"ack":"${request?.id}","data":{"__proto__":1}}`);
    await settled();

    expect(asked.error).toMatchObject({ code: 'bad_request' });
    expect(desk.faults).toEqual(['bad_request']);
    expect(desk.peer.transport.events).toContain('exception');
  });
});

describe('The time for an answer', () => {
  it.each([
    ['that the call says', { timeoutMs: 1_234 }, 1_234],
    ['of the options', undefined, 7_000],
    ['of the options where the call says undefined', { timeoutMs: undefined }, 7_000],
    ['of a timer where the call says more', { timeoutMs: Infinity }, 2_147_483_647],
  ])('is the one %s, to the millisecond', async (_what, options, ms) => {
    // Not started: its sweep would tick two million times in 24 days.
    const rig = new Rig({ requestTimeoutMs: 7_000 });
    const desk = new Desk(rig, rig.open());
    const asked = desk.ask('confirm', undefined, options);

    await desk.rig.clock.advance(ms - 1);
    const before = asked.state;
    await desk.rig.clock.advance(1);

    expect(before).toBe('pending');
    expect(asked.error).toMatchObject({
      code: 'timeout',
      retryable: false,
      message: `the client has not answered "confirm" within ${ms} ms`,
    });
  });

  it('makes the answer that comes later a late one', async () => {
    const desk = await Desk.open();
    const asked = desk.ask('confirm', undefined, { timeoutMs: 5 });
    await desk.rig.clock.advance(5);

    await desk.answer({ data: 1 });

    expect(asked.error).toMatchObject({ code: 'timeout' });
    expect(desk.faults).toEqual(['late_ack']);
  });

  it.each([0, -1, 0.5, Number.NaN, '5', null])('cannot be %s', async (timeoutMs) => {
    const desk = await Desk.open();

    const asked = desk.ask('confirm', undefined, { timeoutMs: timeoutMs as number });

    expect(await isSilent(desk.peer)).toBe(true);
    expect(asked.error).toMatchObject({ code: 'bad_request' });
  });

  it('takes one timer for all requests of all connections, and none when they are answered', async () => {
    const desk = await Desk.open();
    const before = desk.rig.clock.pendingTimers;
    for (let at = 0; at < 10; at++) desk.ask('confirm', at, { timeoutMs: 100 + at });
    void desk.rig
      .open()
      .connection.request('confirm', undefined)
      .catch(() => undefined);
    const during = desk.rig.clock.pendingTimers;

    for (const connection of desk.rig.engine.connections.values()) connection.close(1_000);
    await settled();

    expect([during - before, desk.rig.clock.pendingTimers - before]).toEqual([1, 0]);
  });
});

describe('An abort', () => {
  it('rejects with its reason, and makes the answer a late one', async () => {
    const desk = await Desk.open();
    const controller = new AbortController();
    const asked = desk.ask('confirm', undefined, { signal: controller.signal });
    await desk.sent();

    controller.abort('enough');
    await desk.answer({ data: 1 });

    expect(asked).toEqual({ state: 'rejected', error: 'enough' });
    expect(desk.faults).toEqual(['late_ack']);
  });

  it('that came before sends nothing', async () => {
    const desk = await Desk.open();

    const asked = desk.ask('confirm', undefined, { signal: AbortSignal.abort('no') });

    expect(await isSilent(desk.peer)).toBe(true);
    expect(asked).toEqual({ state: 'rejected', error: 'no' });
  });

  it('that comes later changes nothing, and nobody listens to it any more', async () => {
    const desk = await Desk.open();
    const { signal } = new AbortController();
    let listening = 0;
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
    signal.addEventListener = (...args: Parameters<typeof add>) => (listening++, add(...args));
    signal.removeEventListener = (...args: Parameters<typeof remove>) => (listening--, remove(...args));
    desk.ask('confirm', undefined, { signal });
    await settled();
    const during = listening;

    await desk.answer({ data: 1 });

    expect([during, listening]).toEqual([1, 0]);
  });
});

import { TestClock } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import type { FaultKind, ObservedConnection, Refusal } from '../../lib/core/observer.interface.js';
import { resolveLogOptions } from '../../lib/nest/log-options.js';
import { LoggingObserver } from '../../lib/nest/logging.observer.js';
import { RecordingLogger } from '../support/recording-logger.js';

const PEER: ObservedConnection = {
  id: 'a',
  principal: 'ada',
  address: '192.0.2.1',
  subprotocol: '',
  handshakeMs: 3,
  ageMs: 0,
  traffic: { messagesReceived: 0, messagesSent: 0, bytesReceived: 0, bytesSent: 0 },
  path: '/ws',
  ours: true,
};

function foreign(origin: string): Refusal {
  const advice = `allowedOrigins: [${JSON.stringify(origin)}]`;
  return {
    reason: 'origin',
    status: 403,
    message: 'no',
    url: '/ws',
    address: '192.0.2.1',
    durationMs: 3,
    advice,
  };
}

function start() {
  const logger = new RecordingLogger();
  const clock = new TestClock();
  const observer = new LoggingObserver(logger, clock);
  /** As the sweep of a node does. */
  const advance = async (ms: number): Promise<void> => {
    await clock.advance(ms);
    observer.swept();
  };
  return { logger, observer, advance };
}

describe('LoggingObserver', () => {
  it.each([
    ['an Error', new Error('no room'), 'no room'],
    ['a text', 'no room', 'no room'],
    ['nothing', undefined, 'undefined'],
    ['null', null, 'null'],
    ['a symbol', Symbol('no room'), 'Symbol(no room)'],
    ['an object', { status: 1, inner: { deep: 2 } }, '{ status: 1, inner: [Object] }'],
    // Such an object has no text: asked for it, it throws.
    ['an object without a prototype', Object.create(null), '[Object: null prototype] {}'],
  ])('tells what has failed in one line, whatever was thrown: %s', (_what, error, told) => {
    const logger = new RecordingLogger();

    new LoggingObserver(logger, new TestClock()).failed({ where: '$subscribe', error, correlationId: 'abc' });

    expect(logger.errors).toEqual([`$subscribe failed (abc): ${told}`]);
  });

  it('tells what answers went early, and what to do about it', () => {
    const { logger, observer } = start();

    observer.evicted(2);

    expect(logger.warnings[0]).toMatch(/^2 answers .* to change that: maxDedupBytes/);
  });

  it('tells the line to add of each foreign origin, while another one knocks', async () => {
    const { logger, observer, advance } = start();
    const knock = (origin: string): void => observer.refused(foreign(origin));

    for (let at = 0; at < 10; at++) knock('https://one.example');
    await advance(1_000);
    for (let at = 0; at < 10; at++) knock('https://one.example');
    knock('https://two.example');
    await advance(2_000);

    expect(logger.warnings).toEqual([
      expect.stringMatching(/^refused "\/ws" .* allowedOrigins: \["https:\/\/one\.example"\]$/),
      'refused with 403 (origin): and 9 more; to change that: allowedOrigins: ["https://one.example"]',
      expect.stringMatching(/^refused "\/ws" .* allowedOrigins: \["https:\/\/two\.example"\]$/),
      'refused with 403 (origin): and 10 more; to change that: allowedOrigins: ["https://one.example"]',
    ]);
  });

  it.each([8, 9])(
    'has a line for each of eight foreign origins, and one for the others: %i',
    async (count) => {
      const { logger, observer, advance } = start();

      for (let round = 0; round < 2; round++) {
        for (let at = 0; at < count + round * 50; at++) observer.refused(foreign(`https://${at}.example`));
      }
      const others = logger.warnings.slice(8);
      await advance(1_000);
      observer.refused({ reason: 'guard', status: 403, message: 'no', url: '/', address: '', durationMs: 3 });

      // The first of the others as well.
      expect(others).toHaveLength(1);
      const rest = count === 8 ? 49 : 51;
      expect(logger.warnings.at(-2)).toBe(`refused with 403 (origin): and ${rest} more of other pages`);
      // Pages that make up origins take no room from what else is refused.
      expect(logger.warnings.at(-1)).toMatch(/^refused "\/" from "" with 403 \(guard\) "no" after 3 ms$/);
    },
  );

  it('tells of a gap', () => {
    const { logger, observer } = start();

    observer.gap(PEER, 'chat:1');

    expect(logger.warnings).toEqual([
      'a has missed publications of "chat:1" and was told so pattern="other" path="/ws" principal="ada" address="192.0.2.1"',
    ]);
  });

  it('says nothing of a keep-alive, which other libraries send all the time', () => {
    const { logger, observer } = start();

    observer.faulted(PEER, 'keep_alive');

    expect(logger.lines).toEqual([]);
  });
});

describe('what comes again and again', () => {
  const told = 'bad_frame from a on /ws, "192.0.2.1" principal="ada"';
  const more = (count: string): string => `faults of peers, bad_frame: and ${count} more`;

  it('is told at once, and at the end of the second with how many there were', async () => {
    const { logger, observer, advance } = start();

    for (let at = 0; at <= 4_321; at++) observer.faulted(PEER, 'bad_frame');
    await advance(999);
    expect(logger.debugs).toEqual([told]);
    await advance(1);

    expect(logger.debugs).toEqual([told, more('4,321')]);
  });

  it('is told ever less often while it goes on, at last once a minute, and loses no count', async () => {
    const { logger, observer, advance } = start();

    for (let second = 0; second < 200; second++) {
      observer.faulted(PEER, 'bad_frame');
      observer.faulted(PEER, 'bad_frame');
      await advance(1_000);
    }

    const counts = logger.debugs.slice(1).map((line) => Number(/and (\d+) more/.exec(line)?.[1]));
    expect(counts).toEqual([1, 4, 8, 16, 32, 64, 120, 120]);
  });

  it('is told at once again where it had stopped', async () => {
    const { logger, observer, advance } = start();

    observer.faulted(PEER, 'bad_frame');
    await advance(1_000);
    observer.faulted(PEER, 'bad_frame');

    expect(logger.debugs).toEqual([told, told]);
  });

  it('is told to the end where the node stops', () => {
    const { logger, observer } = start();

    observer.faulted(PEER, 'bad_frame');
    observer.faulted(PEER, 'bad_frame');
    observer.stopped();

    expect(logger.debugs).toEqual([told, more('1')]);
  });

  // What is counted then is never told: nobody sweeps, and nothing ends any more.
  it('is each told at once where it fails behind the end', () => {
    const { logger, observer } = start();
    for (let at = 0; at < 3; at++) observer.failed({ where: 'chat', error: 'no' });
    observer.stopped();
    for (let at = 0; at < 3; at++) observer.failed({ where: 'chat', error: 'no' });

    observer.ended();
    for (let at = 0; at < 3; at++) observer.failed({ where: 'chat', error: 'late' });

    const limited = ['chat failed: no', 'chat failed: and 2 more'];
    const late = 'chat failed: late';
    expect(logger.errors).toEqual([...limited, ...limited, late, late, late]);
  });

  it('is not told behind the end where its level is off', () => {
    const logger = new RecordingLogger();
    const observer = new LoggingObserver(
      logger,
      new TestClock(),
      resolveLogOptions({ logLevels: { failed: 'off' } }),
    );

    observer.ended();
    observer.failed({ where: 'chat', error: 'late' });

    expect(logger.lines).toEqual([]);
  });

  it.each<[string, (observer: LoggingObserver) => void, string]>([
    ['a close', (observer) => observer.closed(PEER, 4500, ''), 'closed on /ws with 4500: and 2 more'],
    [
      'a refusal',
      (observer) =>
        observer.refused({
          reason: 'guard',
          status: 403,
          message: 'no',
          url: '/',
          address: '',
          durationMs: 3,
        }),
      'refused with 403 (guard): and 2 more',
    ],
    ['a failure', (observer) => observer.failed({ where: 'chat', error: 'no' }), 'chat failed: and 2 more'],
    ['a warning', (observer) => observer.warned('too hot'), 'too hot: and 2 more'],
    ['a gap', (observer) => observer.gap(PEER, 'b'), 'missed publications of other: and 2 more were told so'],
    ['an answer that went early', (observer) => observer.evicted(1), 'for want of room: and 2 more'],
  ])('is one line and a count, whatever it is: %s', async (_, report, last) => {
    const { logger, observer, advance } = start();

    for (let at = 0; at < 3; at++) report(observer);
    await advance(1_000);

    expect(logger.lines).toHaveLength(2);
    expect(logger.lines[1]).toContain(last);
  });

  it('shares a line where a peer gives more reasons than anybody would read', async () => {
    const { logger, observer, advance } = start();

    for (let at = 0; at < 1_000; at++) observer.failed({ where: `channel ${at}`, error: 'no' });
    await advance(1_000);

    expect(logger.errors).toHaveLength(10);
    expect(logger.errors.at(-1)).toBe('others failed: and 991 more');
  });

  it('is one reason for all codes of a close that the protocol does not have', () => {
    const { logger, observer } = start();

    for (let code = 3_000; code < 4_000; code++) observer.closed(PEER, code, '');

    observer.stopped();

    expect(logger.debugs).toEqual([
      expect.stringMatching(/^closed a on \/ws with 3000 /),
      'closed on /ws with other: and 999 more',
    ]);
  });

  it('does not hide what is rare', () => {
    const { logger, observer } = start();

    const kinds: FaultKind[] = ['bad_frame', 'bad_frame', 'rate_limited', 'bad_frame', 'late_ack'];
    for (const kind of kinds) observer.faulted(PEER, kind);

    expect(logger.debugs.map((line) => line.split(' ')[0])).toEqual([
      'bad_frame',
      'rate_limited',
      'late_ack',
    ]);
  });
});

describe('what a peer has written', () => {
  /** Printable characters of one line. */
  const WELL_FORMED = /^[^\p{C}\p{Zl}\p{Zp}]*$/u;

  const FORGED = [
    ['line breaks', 'a\r\nERROR forged', String.raw`"a\r\nERROR forged"`],
    ['escape codes', 'a\u001b[31mb', String.raw`"a\u001b[31mb"`],
    ['control characters of the second set', 'a\u009b31mb\u0085', String.raw`"a\u009b31mb\u0085"`],
    ['other separators of lines', 'a\u2028b\u2029c', String.raw`"a\u2028b\u2029c"`],
    ['marks that turn the direction', '\u202eb\u2066c\u200f', String.raw`"\u202eb\u2066c\u200f"`],
    ['what cannot be seen', 'a\u200b\ufeff\u00ad', String.raw`"a\u200b\ufeff\u00ad"`],
    ['tags beyond the first plane', 'a\u{e0041}', String.raw`"a\udb40\udc41"`],
    ['lone surrogates', '\ud800a\udfff', String.raw`"\ud800a\udfff"`],
    ['quotes and backslashes', 'a"\\', String.raw`"a\"\\"`],
    ['what is harmless', 'grün 😀', '"grün 😀"'],
  ] as const;

  it.each(FORGED)('makes one line: %s', (_, event, json) => {
    const { logger, observer } = start();

    observer.faulted(PEER, 'unknown_event', event);

    expect(logger.lines).toEqual([`unknown_event ${json} from a on /ws, "192.0.2.1" principal="ada"`]);
    expect(logger.lines[0]).toMatch(WELL_FORMED);
  });

  it.each(FORGED)('makes one line where the application repeats it in an error: %s', (_, text) => {
    const { logger, observer } = start();

    observer.failed({ where: `the handler of ${text}`, error: new Error(`no room for ${text}`) });
    observer.warned(`a warning of ${text}`);
    observer.brokerChanged('away', text);
    observer.refused({
      reason: 'guard',
      status: 403,
      message: text,
      url: text,
      address: text,
      durationMs: 3,
      advice: text,
    });

    for (const line of logger.lines) expect(line).toMatch(WELL_FORMED);
    for (const place of logger.stacks[0]?.split('\n') ?? ['']) expect(place).toMatch(/^ +at /);
    expect(logger.stacks[0]).not.toContain('forged');
  });

  it('is cut at 128 characters', () => {
    const { logger, observer } = start();

    observer.faulted(PEER, 'unknown_event', 'x'.repeat(128));
    observer.faulted(PEER, 'bad_request', 'y'.repeat(129));

    expect(logger.debugs[0]).toContain(`"${'x'.repeat(128)}" from`);
    expect(logger.debugs[1]).toContain(`"${'y'.repeat(128)}"… from`);
  });
});

import { TestClock } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import type { ObservedConnection, RefusalReason } from '../../lib/core/observer.interface.js';
import { LoggingObserver } from '../../lib/nest/logging.observer.js';
import { RecordingLogger } from '../support/recording-logger.js';

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

  it('tells of answers that went early at once, and then once a minute how many', async () => {
    const logger = new RecordingLogger();
    const clock = new TestClock();
    const observer = new LoggingObserver(logger, clock);
    const counts = (): string[] => logger.warnings.map((line) => line.slice(0, line.indexOf(' answers')));

    observer.evicted(2);
    expect(logger.warnings[0]).toMatch(/^2 answers .* to change that: maxDedupBytes/);

    await clock.advance(59_999);
    observer.evicted(3);
    expect(counts()).toEqual(['2']);

    await clock.advance(1);
    observer.evicted(4);
    expect(counts()).toEqual(['2', '7']);
  });

  it('tells of refusals once a second for each reason and status, and how many there were', async () => {
    const logger = new RecordingLogger();
    const clock = new TestClock();
    const observer = new LoggingObserver(logger, clock);
    const refused = (reason: RefusalReason, status: number, address: string): void =>
      observer.refused({ reason, status, message: 'no', url: '/ws', address });

    for (let at = 0; at < 1_000; at++) refused('origin', 403, `a${at}`);
    refused('guard', 403, 'b');
    refused('guard', 401, 'c');
    const atOnce = [...logger.warnings];
    await clock.advance(999);
    refused('origin', 403, 'd');
    await clock.advance(1);
    refused('origin', 403, 'e');

    const line = (address: string, status: number): string =>
      `refused "/ws" from "${address}" with ${status} "no"`;
    expect(atOnce).toEqual([line('a0', 403), line('b', 403), line('c', 401)]);
    expect(logger.warnings.slice(3)).toEqual([
      `${line('e', 403)}; it is the last of 1001 since this was told before`,
    ]);
  });

  it('tells of a gap at once, and then once a minute of the last one and how many', async () => {
    const logger = new RecordingLogger();
    const clock = new TestClock();
    const observer = new LoggingObserver(logger, clock);
    const gap = (id: string): void => observer.gap({ id } as ObservedConnection, 'chat:1');

    gap('a');
    const told = 'has missed publications of "chat:1" and was told so';
    expect(logger.warnings).toEqual([`a ${told}`]);

    await clock.advance(59_999);
    gap('b');
    expect(logger.warnings).toHaveLength(1);

    await clock.advance(1);
    gap('c');
    expect(logger.warnings[1]).toBe(`c ${told}; it is the last of 2 since this was told before`);
  });
});

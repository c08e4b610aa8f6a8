import { describe, expect, it } from 'vitest';
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

    new LoggingObserver(logger).failed({ where: '$subscribe', error, correlationId: 'abc' });

    expect(logger.errors).toEqual([`$subscribe failed (abc): ${told}`]);
  });
});

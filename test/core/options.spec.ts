import { describe, expect, it } from 'vitest';
import { DEFAULTS, resolveOptions, type EngineOptions } from '../../lib/core/options.js';

const NAMES = Object.keys(DEFAULTS) as (keyof EngineOptions)[];
const TIMES = NAMES.filter((name) => name.endsWith('Ms'));
const MAY_BE_ZERO: ReadonlySet<string> = new Set([
  'heartbeatIntervalMs',
  'heartbeatTimeoutMs',
  'idleTimeoutMs',
  'presenceGraceMs',
  'handshakesPerSecond',
  'maxConnections',
  'maxConnectionsPerAddress',
  'handshakesPerSecondPerAddress',
  'idleUpgradeTimeoutMs',
  'drainWindowMs',
  'drainConnectsPerSecond',
  'maxConnectionAgeMs',
  'messagesPerSecond',
  'bytesPerSecond',
  'subscriptionsPerSecond',
]);
const MAX_TIMER_MS = 2 ** 31 - 1;

/** What a timer can wait, but for positions, which brokers forget. */
function mostOf(name: string): number {
  return name === 'positionCheckMs' ? 120_000 : MAX_TIMER_MS;
}

/** One option as an untyped configuration may give it. */
function given(name: string, value: unknown): EngineOptions {
  return { [name]: value } as EngineOptions;
}

describe('resolveOptions', () => {
  it('fills in the defaults', () => {
    expect(resolveOptions({})).toEqual(DEFAULTS);
  });

  it('takes undefined for a default', () => {
    expect(resolveOptions({ maxNesting: undefined })).toEqual(DEFAULTS);
  });

  it('leaves what it is given alone', () => {
    const options = Object.freeze({ maxNesting: 5, handlerTimeoutMs: 10 });

    expect(resolveOptions(options)).toEqual({ ...DEFAULTS, ...options });
  });

  it('passes over what is no option of the engine', () => {
    expect(resolveOptions(given('allowedOrigins', '*'))).toEqual(DEFAULTS);
  });

  it.each(NAMES)('takes the least and a large value of %s', (name) => {
    const least = MAY_BE_ZERO.has(name) ? 0 : 1;
    // The rules between options are tested below.
    const others = { heartbeatIntervalMs: 0, heartbeatTimeoutMs: 0, messagesPerSecond: 0 };

    expect(resolveOptions({ ...others, ...given(name, least) })[name]).toBe(least);
    expect(
      resolveOptions({ ...others, drainTimeoutMs: MAX_TIMER_MS, ...given(name, mostOf(name)) })[name],
    ).toBe(mostOf(name));
  });

  it.each(
    NAMES.flatMap((name) =>
      [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '5', null, true, {}, 5n].map(
        (value): [string, unknown] => [name, value],
      ),
    ),
  )('refuses %s: %s, names it and says what to do', (name, value) => {
    const least = MAY_BE_ZERO.has(name) ? 0 : 1;

    expect(() => resolveOptions(given(name, value))).toThrow(
      new TypeError(`${name} (${String(value)}) must be a whole number of at least ${least}.`),
    );
  });

  it.each(NAMES.filter((name) => !MAY_BE_ZERO.has(name)))('refuses %s: 0', (name) => {
    expect(() => resolveOptions(given(name, 0))).toThrow(`${name} (0) must be a whole number of at least 1.`);
  });

  it.each(TIMES)('refuses %s beyond what it can be', (name) => {
    const most = mostOf(name);

    expect(() => resolveOptions(given(name, most + 1))).toThrow(
      `${name} (${most + 1}) must be at most ${most} milliseconds.`,
    );
  });

  it('refuses a heartbeat timeout that does not exceed the interval', () => {
    expect(() => resolveOptions({ heartbeatIntervalMs: 10_000, heartbeatTimeoutMs: 10_000 })).toThrow(
      'heartbeatTimeoutMs (10000) must exceed heartbeatIntervalMs (10000); raise the timeout.',
    );
  });

  it('takes a heartbeat timeout of one millisecond more', () => {
    const options = { heartbeatIntervalMs: 10_000, heartbeatTimeoutMs: 10_001 };

    expect(resolveOptions(options)).toMatchObject(options);
  });

  it.each([{ heartbeatIntervalMs: 0, heartbeatTimeoutMs: 5 }, { heartbeatTimeoutMs: 0 }])(
    'does not compare what is switched off: %j',
    (options) => {
      expect(resolveOptions(options)).toMatchObject(options);
    },
  );

  it('refuses a drain timeout below the heartbeat timeout, and says what to do', () => {
    const options = { heartbeatTimeoutMs: 60_000, drainTimeoutMs: 59_999 };

    expect(() => resolveOptions(options)).toThrow(
      /^drainTimeoutMs \(59999\) must not be less than heartbeatTimeoutMs \(60000\); /,
    );
  });

  it('takes a drain timeout that equals the heartbeat timeout', () => {
    const options = { heartbeatTimeoutMs: 60_000, drainTimeoutMs: 60_000 };

    expect(resolveOptions(options)).toMatchObject(options);
  });

  it('refuses a message burst that has no room for all channels of a client that comes back', () => {
    expect(() => resolveOptions({ messageBurst: 128 })).toThrow(
      'messageBurst (128) must exceed maxChannelsPerConnection (128)',
    );
    expect(resolveOptions({ messageBurst: 129 }).messageBurst).toBe(129);
  });

  it('makes room in the message burst for more channels than usual', () => {
    expect(resolveOptions({ maxChannelsPerConnection: 5_000 }).messageBurst).toBe(5_065);
  });

  it('refuses a rate that cannot be counted in whole thousandths', () => {
    const most = Math.floor(Number.MAX_SAFE_INTEGER / 1_000);

    expect(() => resolveOptions({ byteBurst: most + 1 })).toThrow(
      `byteBurst (${most + 1}) must be at most ${most}.`,
    );
  });
});

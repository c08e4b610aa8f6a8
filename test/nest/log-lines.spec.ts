import { ConsoleLogger, type LoggerService, type LogLevel } from '@nestjs/common';
import type { LogOptions, Observer } from 'nestjs-channels';
import { createChannelsTestApp, TestClock } from 'nestjs-channels/testing';
import { describe, expect, it, vi } from 'vitest';
import { LOG_LEVELS, resolveLogOptions } from '../../lib/nest/log-options.js';
import { LoggingObserver } from '../../lib/nest/logging.observer.js';
import { EACH, PEER } from '../support/log-facts.js';

interface Written {
  readonly level: string;
  readonly message: unknown;
  readonly rest: readonly unknown[];
}

function start(options: LogOptions = {}) {
  const lines: Written[] = [];
  const write =
    (level: LogLevel) =>
    (message: unknown, ...rest: unknown[]): void =>
      void lines.push({ level, message, rest });
  const logger: LoggerService = {
    ...{ verbose: write('verbose'), debug: write('debug'), log: write('log') },
    ...{ warn: write('warn'), error: write('error'), fatal: write('fatal') },
  };
  const observer = observe(logger, options);
  return { lines, observer };
}

/** Its methods as functions of their own. */
function observe(logger: LoggerService, options: LogOptions): Required<Observer> {
  const observer = new LoggingObserver(logger, new TestClock(), resolveLogOptions(options));
  observer.started({
    id: 'node',
    connections: [],
    sizes: () => ({}),
    patternOf: (channel) => (channel.startsWith('chat:') ? 'chat:{room}' : undefined),
  });
  const bound = (name: string | symbol): unknown => {
    const method: unknown = Reflect.get(observer, name);
    return typeof method === 'function' ? method.bind(observer) : method;
  };
  return new Proxy({} as Required<Observer>, { get: (_, name) => bound(name) });
}

describe('each fact', () => {
  it.each(EACH)('is one object for the logger with logFormat "fields": $fact', ({ fact, cause, fields }) => {
    const { lines, observer } = start({ logFormat: 'fields' });

    cause(observer);

    const expected = { event: fact, msg: expect.any(String) as unknown, ...fields };
    expect(lines).toEqual([{ level: LOG_LEVELS[fact], message: expected, rest: [] }]);
  });

  it.each(EACH)(
    'is one line with the same values with logFormat "text": $fact',
    ({ fact, cause, fields }) => {
      const { lines, observer } = start();

      cause(observer);

      expect(lines).toMatchObject([{ level: LOG_LEVELS[fact], message: expect.any(String) }]);
      const [{ message, rest } = { message: '', rest: [] }] = lines;
      const words = [String(message), ...rest.map(String)].join('\n');
      const values = Object.values(fields).filter((value) => typeof value !== 'object');
      for (const value of values) expect(words).toContain(String(value));
    },
  );

  it.each(EACH)(
    'is written at the level that logLevels says, and at none where it says "off": $fact',
    ({ fact, cause }) => {
      const loud = start({ logLevels: { [fact]: 'fatal' } });
      const silent = start({ logLevels: { [fact]: 'off' } });

      for (const { observer } of [loud, silent]) {
        cause(observer);
        cause(observer);
        observer.stopped();
      }

      expect(new Set(loud.lines.map(({ level }) => level))).toEqual(new Set(['fatal']));
      expect(silent.lines).toEqual([]);
    },
  );

  it.each(EACH)('that comes again has its count in the same words: $fact', ({ fact, cause, fields }) => {
    const { lines, observer } = start({ logFormat: 'fields' });

    cause(observer);
    cause(observer);
    observer.stopped();

    const [first, second] = lines.map(({ message }) => message as Record<string, unknown>);
    const { more, ...common } = { ...second, msg: first?.['msg'] } as Record<string, unknown>;
    // Each change of a broker or of the node counts: neither peers nor the load cause it.
    const count = /^(broker|drain)/.test(fact) ? undefined : 'count' in fields ? fields.count : 1;
    expect(more).toBe(count);
    expect(first).toMatchObject(common);
  });
});

describe('a logger without a level', () => {
  it('is asked for nothing that it does not have', () => {
    const logger: LoggerService = { log: vi.fn(), warn: vi.fn(), error: vi.fn() };

    observe(logger, {}).opened(PEER);

    expect(logger.log).not.toHaveBeenCalled();
  });
});

describe('ConsoleLogger with json', () => {
  it('writes the fields as JSON, and nothing that a terminal obeys', () => {
    const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    const logger = new ConsoleLogger('Channels', { json: true, logLevels: ['debug'] });

    observe(logger, { logFormat: 'fields' }).faulted(PEER, 'unknown_event', 'a\n\u202eb\u009b');
    const [text] = written.mock.lastCall ?? [];
    written.mockRestore();

    expect(String(text)).toMatch(/^[^\p{C}]*\n$/u);
    expect(JSON.parse(String(text))).toMatchObject({
      level: 'debug',
      context: 'Channels',
      message: { event: 'faulted', unknownEvent: String.raw`a\n\u202eb\u009b` },
    });
  });
});

describe('logLinesPerSecond', () => {
  it.each([
    [1, 0],
    [3, 0],
    [3, 1],
  ])('writes %i of a reason within a second, and counts %i more', (limit, beyond) => {
    const { lines, observer } = start({ logLinesPerSecond: limit, logFormat: 'fields' });

    for (let at = 0; at < limit + beyond; at++) observer.closed(PEER, 1_001, '');
    observer.closed(PEER, 1_006, '');
    observer.stopped();

    const counts = lines.map(({ message }) => Reflect.get(message as object, 'more'));
    expect(counts).toEqual([...Array.from({ length: limit + 1 }), ...(beyond > 0 ? [beyond] : [])]);
  });

  it('writes each where it is 0', () => {
    const { lines, observer } = start({ logLinesPerSecond: 0 });

    for (let at = 0; at < 1_000; at++) observer.opened(PEER);
    observer.stopped();

    expect(lines).toHaveLength(1_000);
  });
});

describe('the reasons of a fact', () => {
  it.each([64, 65])('have lines of their own, 64 at a time: %i', (count) => {
    const { lines, observer } = start({ logFormat: 'fields' });

    for (let round = 0; round < 2; round++) {
      for (let at = 0; at < count; at++) observer.opened({ ...PEER, path: `/${at}` });
    }
    observer.stopped();

    const more = lines.slice(count).map(({ message }) => message);
    expect(more).toHaveLength(count);
    const shared = more.filter((message) => !('path' in (message as object)));
    expect(shared).toEqual(
      count === 64 ? [] : [{ event: 'opened', msg: 'opened on other: and 1 more', more: 1 }],
    );
  });
});

describe('the options of the log', () => {
  it.each<[string, unknown, RegExp]>([
    ['logFormat', { logFormat: 'json' }, /^logFormat \(json\) must be 'text' or 'fields'\.$/],
    ['logLevels', { logLevels: 'debug' }, /^logLevels \(debug\) must be an object such as \{ opened: 'log'/],
    [
      'a fact',
      { logLevels: { open: 'log' } },
      /^logLevels has "open", which is no fact: there are 'opened', /,
    ],
    [
      'a level',
      { logLevels: { opened: 'info' } },
      /^logLevels\.opened \(info\) must be 'verbose', .* or 'off'\.$/,
    ],
    [
      'a negative number',
      { logLinesPerSecond: -1 },
      /^logLinesPerSecond \(-1\) must be a whole number, or 0 to/,
    ],
    ['a fraction', { logLinesPerSecond: 0.5 }, /^logLinesPerSecond \(0\.5\) must be a whole number/],
  ])('are checked once, at start: %s', (_, options, message) => {
    expect(() => resolveLogOptions(options as LogOptions)).toThrow(message);
  });

  it('refuse the start of an application where one is wrong', async () => {
    const channels = { logLinesPerSecond: -1 };

    await expect(createChannelsTestApp({ channels })).rejects.toThrow(/^logLinesPerSecond \(-1\)/);
  });

  it('take the default for what is not set', () => {
    const { levels } = resolveLogOptions({ logLevels: { opened: undefined, closed: 'log' } });

    expect(levels).toEqual({ ...LOG_LEVELS, closed: 'log' });
  });
});

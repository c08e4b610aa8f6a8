import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LOAD_FLAGS } from '../../lib/cli/load-flags.js';
import { parseLoadOptions, type LoadOptions } from '../../lib/cli/load-options.js';
import { UsageError } from '../../lib/cli/usage-error.js';
import { temporaryFolder } from '../support/packed-package.js';

const URL = 'ws://127.0.0.1:3000/ws';
const SECRET = 'eyJhbGciOi.secret.of-this-test';

function parse(...args: readonly string[]): LoadOptions {
  const options = parseLoadOptions([URL, ...args]);
  if (options === 'help') throw new Error('It took it for a question.');
  return options;
}

function refusal(...args: readonly string[]): string {
  try {
    parseLoadOptions(args);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  throw new Error('It was taken.');
}

/** What is no UsageError comes through. */
function outcomeOf(args: readonly string[]): 'fine' {
  try {
    parseLoadOptions(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
  }
  return 'fine';
}

function fileWith(text: string): string {
  const path = join(temporaryFolder(), 'tokens');
  writeFileSync(path, text);
  return path;
}

describe('parseLoadOptions', () => {
  it('has the defaults that the help tells', () => {
    const { rooms, template, ...options } = parse();

    expect(options).toEqual({
      url: URL,
      connections: 1_000,
      channel: 'chat:{room}',
      channelsPerConnection: 1,
      event: undefined,
      messagesPerSecond: 10,
      durationMs: 30_000,
      connectsPerSecond: 100,
      tokens: [],
      jsonPath: undefined,
      isQuiet: false,
    });
    expect([rooms.length, rooms[0], rooms.at(-1)]).toEqual([100, 'room-1', 'room-100']);
    expect(template.data).toEqual({ room: '{room}', text: '{text}' });
  });

  it('takes what is given, with = as well', () => {
    const given = [
      '--connections=5',
      '--rate',
      '0.5',
      '--duration',
      '2',
      '--ramp',
      '7',
      '--event',
      'e',
      '--quiet',
    ];

    expect(parse(...given, '--data', '["{text}"]', '--json', 'r.json')).toMatchObject({
      connections: 5,
      messagesPerSecond: 0.5,
      durationMs: 2_000,
      connectsPerSecond: 7,
      event: 'e',
      isQuiet: true,
      jsonPath: 'r.json',
    });
  });

  it.each([
    ['lobby,help', ['lobby', 'help']],
    ['lobby', ['lobby']],
    ['1,2', ['1', '2']],
    ['2', ['room-1', 'room-2']],
  ])('reads the rooms of %s', (text, rooms) => {
    expect(parse('--rooms', text).rooms).toEqual(rooms);
  });

  it('takes a channel without rooms for one channel', () => {
    expect(parse('--channel', 'news').rooms).toHaveLength(1);
  });

  it('answers a question for help, whatever else is wrong', () => {
    expect(parseLoadOptions(['--rate', 'x', '--help'])).toBe('help');
  });

  it.each(['ws:', 'wss:', 'http:', 'https:'])('takes a url of %s', (protocol) => {
    expect(parseLoadOptions([`${protocol}//a.example/ws`])).toMatchObject({
      url: `${protocol}//a.example/ws`,
    });
  });

  it.each([
    [[], '0 urls were given; give one'],
    [[URL, URL], '2 urls were given; give one'],
    [['nowhere'], 'url (nowhere) must begin with ws:// or wss://'],
    [['ftp://a.example'], 'url (ftp://a.example) must begin with ws:// or wss://'],
    [[`ws://ada:${SECRET}@a.example`], 'a token goes to --token-file'],
    [[URL, '--tokn', SECRET], '--tokn is no option; load --help lists them'],
    [[URL, '-x'], '-x is no option'],
    [[URL, '--constructor'], '--constructor is no option'],
    [[URL, '--__proto__=1'], '--__proto__ is no option'],
    [[URL, '--rate'], '--rate needs a value: --rate <n>'],
    [[URL, '--rate', '--ramp', '1'], '--rate needs a value'],
    [[URL, '--quiet=yes'], '--quiet takes no value; leave it out'],
    [[URL, '--rooms', 'a,b,a'], '--rooms (a,b,a) names a room twice; name each once'],
    [[URL, '--rooms', 'a,,b'], 'makes "chat:", which'],
    [[URL, '--rooms', 'a b'], '"chat:a b", which is no name of a channel; correct it'],
    [[URL, '--channel', 'news', '--rooms', '2'], '--rooms (2) needs {room} in --channel (news)'],
    [
      [URL, '--rooms', '2', '--per-connection', '3'],
      '--per-connection (3) must be at most the number of rooms (2)',
    ],
    [[URL, '--event', '$hello'], '--event ($hello) must be the event of a handler'],
    [[URL, '--event', ''], '--event () must be'],
    [[URL, '--data', '{room}'], '--data ({room}) must be JSON, such as {"room":"{room}"'],
    [[URL, '--token', 'a', '--token-file', 'b'], '--token and --token-file were given; give one of them'],
    [[URL, '--token-file', 'not/there'], '--token-file (not/there) cannot be read'],
  ])('refuses %j', (args, message) => {
    expect(refusal(...args)).toContain(message);
  });

  it.each([
    ['connections', '1', '60000', ['0', '60001', '1.5', 'x', '-1', '', '1e3']],
    ['rooms', '1', '60000', ['0', '60001', '1.5', '-1', '']],
    ['rate', '0.01', '100000', ['0', '100001', 'x', '']],
    ['duration', '0.1', '86400', ['0', '86401', 'Infinity']],
    ['ramp', '0.1', '10000', ['0', '10001']],
  ])('takes --%s from %s to %s', (name, least, most, wrong) => {
    for (const fine of [least, most]) expect(() => parse(`--${name}`, fine)).not.toThrow();
    for (const text of wrong)
      expect(refusal(URL, `--${name}=${text}`)).toMatch(
        /must be a (whole )?number from .* without it, it is/,
      );
  });

  it('takes --per-connection up to 1000', () => {
    expect(() => parse('--rooms', '2000', '--per-connection', '1000')).not.toThrow();
    expect(refusal(URL, '--rooms', '2000', '--per-connection', '1001')).toContain('from 1 to 1000');
  });

  it('reads tokens line by line, without empty ones', () => {
    expect(parse('--token-file', fileWith('a\r\n\n  b\n')).tokens).toEqual(['a', 'b']);
    expect(refusal(URL, '--token-file', fileWith('\n'))).toContain('is empty; write one token a line');
  });

  it('names the line of a token that cannot travel, and never the token', () => {
    const broken = `${SECRET} and more`;

    const said = [
      refusal(URL, '--token', broken),
      refusal(URL, '--token-file', fileWith(`fine\n${broken}`)),
      refusal(URL, '--token'),
      refusal(URL, '--token', SECRET, 'a stray word'),
      refusal(URL, `--tokens=${SECRET}`),
      refusal(`ftp://ada:${SECRET}@a.example/ws?token=${SECRET}`),
    ].join('\n');

    expect(said).toContain('--token-file, line 2, must be visible ASCII');
    expect(said).not.toContain(SECRET);
  });

  it('ends with options or with a UsageError, whatever is typed', () => {
    const word = fc.oneof(
      fc.constantFrom(URL, ...Object.keys(LOAD_FLAGS).map((name) => `--${name}`)),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 8 }), (args) => {
        expect(outcomeOf(args)).toBe('fine');
      }),
    );
  });
});

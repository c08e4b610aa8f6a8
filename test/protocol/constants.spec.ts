import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defineChannel } from '../../lib/core/channel-definition.js';
import { SLOW_LINK_BYTES_PER_MS } from '../../lib/core/heartbeat.js';
import { DEFAULTS } from '../../lib/core/options.js';
import * as constants from '../../lib/protocol/constants.js';
import { CLOSE_CODES, ERROR_CODES } from '../../lib/protocol/index.js';
import { codeSpan, readTable } from '../support/markdown-table.js';
import { readTree, ROOT } from '../support/repository.js';

const RESERVED = '_(reserved)_';
const CHANNEL_OPTION = ' (channel)';

/** Fixed numbers that a rule of the text spells out; the code has no constant of that name. */
const SPELLED_OUT: ReadonlySet<string> = new Set([
  'principal tag',
  'subscription commands under way',
  'last resend before the end of that window',
]);

const markdown = readFileSync(join(ROOT, 'docs/protocol.md'), 'utf8');
const rows = readTable(markdown, '13', ['name', 'value', 'unit', 'changed by', 'used in']);
const inForce = rows.filter((row) => !row.name.endsWith(RESERVED));
const fixed = inForce.filter((row) => row['changed by'] === 'fixed' && !SPELLED_OUT.has(row.name));
const options = inForce.filter((row) => row['changed by'] !== 'fixed');

describe('section 8 of docs/protocol.md', () => {
  it('lists exactly the close codes of the code', () => {
    const documented = readTable(markdown, '8', ['code', 'name', 'verdict', 'when']);

    expect(documented.map(({ code, name, verdict }) => ({ code, name, verdict }))).toEqual(
      Object.values(CLOSE_CODES).map(({ code, name, verdict }) => ({ code: String(code), name, verdict })),
    );
  });
});

describe('section 9 of docs/protocol.md', () => {
  it('lists exactly the error codes of the code', () => {
    const documented = readTable(markdown, '9', ['code', 'retryable', 'meaning']);

    expect(documented.map(({ code, retryable }) => [codeSpan(code), retryable])).toEqual(
      Object.entries(ERROR_CODES).map(([code, { retryable }]) => [code, retryable ? 'yes' : 'no']),
    );
  });

  it('maps exceptions to codes that exist', () => {
    const mapped = readTable(markdown, '9.1', [
      'thrown by a guard, a pipe, an interceptor or the handler',
      'code',
      '`message`',
      '`details`',
    ]);

    const codes = mapped.flatMap(({ code }) => /^`(\w+)`/.exec(code)?.[1] ?? []);
    expect(codes).toHaveLength(mapped.filter(({ code }) => code !== 'its own').length);
    expect(Object.keys(ERROR_CODES)).toEqual(expect.arrayContaining(codes));
  });
});

describe('section 13 of docs/protocol.md', () => {
  it('names each value once', () => {
    const names = rows.map((row) => row.name);
    const changedBy = options.map((row) => row['changed by']);

    expect(new Set(names).size).toBe(names.length);
    expect(new Set(changedBy).size).toBe(changedBy.length);
  });

  it('has every constant of the protocol', () => {
    const documented = fixed.map((row) => codeSpan(row.name));

    expect(documented).toEqual(expect.arrayContaining(Object.keys(constants)));
  });

  it.each(fixed)('states the fixed value of $name as it is in the code', ({ name, value }) => {
    const known: Record<string, unknown> = {
      ...numbersOfCore(),
      SLOW_LINK_BYTES_PER_MS,
      ...constants,
    };
    const inCode = known[codeSpan(name) ?? name];

    expect(valueOf(value)).toBe(inCode instanceof RegExp ? inCode.source : inCode);
  });

  it('has every option that is a number', () => {
    const expected = [
      ...Object.keys(numbersOf(DEFAULTS)),
      ...Object.keys(channelNumbers()).map((name) => name + CHANNEL_OPTION),
    ];

    expect(options.map(optionOf).toSorted()).toEqual(expected.toSorted());
  });

  it.each(options)('states the default of $name as it is in the code', (row) => {
    const option = optionOf(row);
    const known: Readonly<Record<string, unknown>> = option.endsWith(CHANNEL_OPTION)
      ? channelNumbers()
      : numbersOf(DEFAULTS);

    expect(valueOf(row.value)).toBe(known[option.replace(CHANNEL_OPTION, '')]);
  });

  it('refers to sections that exist', () => {
    for (const row of rows) {
      for (const section of row['used in'].split(', ')) {
        expect(markdown).toMatch(new RegExp(`^#+ ${section.replace('.', '\\.')}\\.? `, 'm'));
      }
    }
  });
});

describe('section 4.2 of docs/protocol.md', () => {
  it('shows a welcome with the default options', () => {
    const example = /^### 4\.2 .*?```json\n(.*?)```/ms.exec(markdown)?.[1] ?? '';

    const { heartbeat, limits } = JSON.parse(example).data;

    expect(heartbeat).toEqual({
      intervalMs: DEFAULTS.heartbeatIntervalMs,
      clientTimeoutMs: DEFAULTS.clientTimeoutMs,
    });
    expect(DEFAULTS).toMatchObject(limits);
  });
});

function valueOf(cell: string): unknown {
  return codeSpan(cell) ?? Number(cell.replaceAll(',', ''));
}

/** `maxNesting`, or `joinBufferBytes (channel)`. */
function optionOf(row: { readonly 'changed by': string }): string {
  return row['changed by'].replaceAll('`', '');
}

/** Those of a channel with all that it may have, `history.size` among them. */
function channelNumbers(): Record<string, number> {
  const { history, ...others } = defineChannel('any', { history: true }).options;
  const ofHistory = Object.entries(history ?? {}).map(([name, value]) => [`history.${name}`, value]);
  return { ...numbersOf(others), ...Object.fromEntries(ofHistory) };
}

function numbersOf(defaults: object): Record<string, number> {
  const numbers = Object.entries(defaults).filter((entry) => typeof entry[1] === 'number');
  return Object.fromEntries(numbers) as Record<string, number>;
}

/** Constants of the engine that are numbers, also those that no other file imports. */
function numbersOfCore(): Record<string, number> {
  const numbers: Record<string, number> = {};
  for (const text of readTree('lib/core', '.ts').values()) {
    for (const [, name, value] of text.matchAll(/^(?:export )?const ([A-Z][A-Z0-9_]*) = ([\d_.]+);$/gm)) {
      numbers[name as string] = Number((value as string).replaceAll('_', ''));
    }
  }
  return numbers;
}

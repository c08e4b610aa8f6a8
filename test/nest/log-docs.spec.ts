import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { LOG_LEVELS } from '../../lib/nest/log-options.js';
import { EACH } from '../support/log-facts.js';
import { codeSpan, readTable } from '../support/markdown-table.js';
import { ROOT } from '../support/repository.js';

const MARKDOWN = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8');

const namesIn = (cell: string): string[] => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name ?? '');

it('docs/operations.md has each fact of the log with its level and its fields', () => {
  const what = 'what it says, and what to do when there are more of them';

  const told = readTable(MARKDOWN, '', ['fact', 'level', 'fields', what]);

  const fieldsOf = new Map(told.map(({ fact, fields }) => [codeSpan(fact) ?? fact, namesIn(fields)]));
  const documented = told.map(({ fact, level, fields }) => {
    const isEnd = fields === 'those of `closed`';
    const names = (isEnd ? fieldsOf.get('closed') : namesIn(fields)) ?? [];
    return [codeSpan(fact), codeSpan(level), names.toSorted()];
  });
  expect(documented).toEqual(
    EACH.map(({ fact, fields }) => [fact, LOG_LEVELS[fact], Object.keys(fields).toSorted()]),
  );
});

it('docs/operations.md says of each field of the log what to do when it moves', () => {
  const told = readTable(MARKDOWN, '', ['field', 'what it says, and what to do when it moves']);

  const documented = told.flatMap(({ field }) => namesIn(field));
  const written = new Set(EACH.flatMap(({ fields }) => Object.keys(fields)));
  expect(documented.toSorted()).toEqual([...written, 'more'].toSorted());
});

it('docs/operations.md has the options of the log with their defaults', () => {
  const told = readTable(MARKDOWN, '', ['option of the log', 'default', 'what it says']);

  expect(told.map((row) => [codeSpan(row['option of the log']), row.default])).toEqual([
    ['logFormat', "`'text'`"],
    ['logLevels', 'below'],
    ['logLinesPerSecond', '`1`'],
  ]);
});

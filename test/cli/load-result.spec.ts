import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LOAD_FLAGS } from '../../lib/cli/load-flags.js';
import { loadResult } from '../../lib/cli/load-result.js';
import { loadTable } from '../../lib/cli/load-table.js';
import { ROOT } from '../support/repository.js';
import { figuresOf, optionsOf, WHOLE } from './load-fixtures.js';

const SECRET = 'a-token-of-this-test';

function runOf(...args: readonly string[]) {
  const figures = figuresOf({ sent: 100 });
  figures.opened = figures.joined = 3;
  figures.answered = 98;
  figures.failed.add('timeout');
  figures.lost.add(1006);
  figures.received = 300;
  figures.answerMs.add(2);
  return loadResult(optionsOf('--connections', '3', ...args), figures, WHOLE);
}

/** `a.b` for each field, as docs/load.md names them; what is told there as one stands as one. */
function fieldsOf(result: object): string[] {
  return Object.entries(result).flatMap(([name, value]) => {
    const isSection = /^(connections|joins|messages|publications|tool)$/.test(name);
    return isSection ? Object.keys(value as object).map((field) => `${name}.${field}`) : [name];
  });
}

describe('the result of a run', () => {
  it('has rates for the time in which messages were sent, and counts of all', () => {
    const { messages, publications, connections } = runOf('--event', 'chat.send');

    expect(messages).toMatchObject({
      sentPerSecond: 10,
      answeredCount: 98,
      failedCount: 1,
      unansweredCount: 1,
    });
    expect(publications).toMatchObject({ receivedPerSecond: 25, receivedCount: 300 });
    expect(publications.deliveries).toEqual({ expectedCount: 200, missingCount: 1, toSendersCount: 100 });
    expect(connections).toMatchObject({ openedCount: 3, lostCount: 1, lostByCode: { 1006: 1 } });
  });

  it.each([[[]], [['--event', 'e', '--data', '"{room}"']]])(
    'has no deliveries where messages cannot be told: %j',
    (args) => {
      expect(runOf(...args).publications.deliveries).toBeNull();
    },
  );

  it('has neither a token nor the query of the url', () => {
    const result = runOf('--token', SECRET);

    expect(result.options.tokens).toBe(1);
    expect(JSON.stringify(result) + loadTable(result)).not.toContain(SECRET);
    const { url } = loadResult(
      { ...optionsOf(), url: `ws://a.example/ws?token=${SECRET}` },
      figuresOf({}),
      WHOLE,
    ).options;
    expect(url).toBe('ws://a.example/ws?…');
  });

  it('is told as a table', () => {
    const { tool, ...rest } = runOf('--event', 'chat.send');

    const table = loadTable({ ...rest, tool: { ...tool, hints: ['Mind this.'] } });

    expect(table.split('\n').slice(1, 6)).toEqual([
      'connections   3 of 3 opened   3 open at the end   0 refused   1 lost   0 came back',
      'joins         3   0 refused',
      'messages      100 sent (10/s of 10/s)   98 answered   1 failed   1 without an answer',
      'publications  300 received (25/s)   0 gaps   0 dropped',
      'deliveries    200 expected by others   1 missing   100 to the senders',
    ]);
    expect(table).toMatch(/^answer +1( +2\.0){4}$/m);
    expect(table).toMatch(/^delivery +0( +-){4}$/m);
    expect(table).toMatch(/^lost +1 × 1006$/m);
    expect(table).toMatch(/^failed +1 × timeout$/m);
    expect(table).toMatch(/^! Mind this\.$/m);
    expect(table).not.toMatch(/^sockets/m);
  });
});

describe('docs/load.md', () => {
  const text = readFileSync(join(ROOT, 'docs/load.md'), 'utf8');
  const cellsOf = (heading: string): string[][] => {
    const [, section = ''] = text.split(`\n## ${heading}\n`);
    const rows = (section.split('\n## ')[0] ?? '').split('\n').filter((line) => line.startsWith('| `'));
    return rows.map((row) => row.split('|').map((cell) => cell.trim()));
  };

  it('has each option with its default, and none that there is not', () => {
    const documented = cellsOf('Options').map(([, name, standard]) => [
      name?.slice(3, -1),
      standard?.startsWith('`') ? standard.slice(1, -1) : undefined,
    ]);

    const known = Object.entries(LOAD_FLAGS).map(([name, flag]) => [
      name,
      'default' in flag ? flag.default : undefined,
    ]);
    expect(documented).toEqual(known);
  });

  it('has each field of the file, in order, and none that there is not', () => {
    const documented = cellsOf('The file').flatMap(([, names = '']) =>
      [...names.matchAll(/`([\w.]+)`/g)].map(([, name]) => name),
    );

    expect(documented).toEqual(fieldsOf(runOf()));
  });

  it('names each option of the run in its row', () => {
    const row = cellsOf('The file')
      .find(([, name]) => name === '`options`')
      ?.join();

    for (const name of Object.keys(runOf().options)) expect(row).toContain(`\`${name}\``);
  });
});

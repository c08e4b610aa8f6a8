import { expect, it } from 'vitest';
import { ChaosProcess } from '../support/chaos-process.js';

/** Beyond what the server had before, by five peers at a time. */
const MAX_MB = 20;

interface Case {
  readonly ends: readonly (number | string)[];
  readonly beyondBaseMb: number;
}

interface Report {
  readonly cases: Readonly<Record<string, Case>>;
  readonly faults: readonly string[];
}

/** What docs/protocol.md, section 3.9, and Node's HTTP server answer. */
const ENDS: readonly [string, ...(number | string)[]][] = [
  ['exactly the limit', '1 answer'],
  ['unmasked', 1002],
  ['reserved bit 1', 1002],
  ['reserved bit 2', 1002],
  ['reserved bit 3', 1002],
  ['reserved opcode', 1002],
  ['bad UTF-8', 1007],
  ['bad UTF-8 in a fragment', 1007],
  ['one byte over the limit', 1009],
  ['one byte over the limit, in fragments', 1009],
  ['a length of 63 bits', 1009],
  ['endless fragments of a byte', 1008],
  ['endless fragments of nothing', 1008],
  ['endless fragments of 16 KiB', 1009],
  ['a ping in fragments', 1002],
  ['a close in fragments', 1002],
  ['a ping of 126 bytes', 1002],
  ['a continuation of nothing', 1002],
  ['a message within a message', 1002],
  ['a close of one byte', 1002],
  ['a close with a code that is no code', 1002],
  ['a bomb that is over the limit as it is', 1009],
  ['a bomb within the limit', 1009],
  ['a bomb in fragments', 1009],
  ['a bomb of 512 MiB where messages may have one', 1009],
  ['what is not deflated', 1007],
  ['900 headers', 101],
  ['2,000 headers', 400],
  ['a header of 20 KiB', 431],
  // Who still writes may be reset before he reads.
  ['a header without an end', 431, 'cut off'],
  ['a path of 20 KiB', 431],
];

it(
  'ends as documented, costs next to no memory, and breaks nothing, whatever is written by hand',
  { timeout: 120_000 },
  async () => {
    const { cases, faults } = await new ChaosProcess('../fuzz/raw', []).result<Report>();

    expect(Object.keys(cases).toSorted()).toEqual(ENDS.map(([name]) => name).toSorted());
    for (const [name, ...expected] of ENDS) {
      const { ends, beyondBaseMb } = cases[name] as Case;
      expect.soft(ends.length, name).toBeGreaterThan(0);
      expect.soft(expected, name).toEqual(expect.arrayContaining([...ends]));
      expect.soft(beyondBaseMb, name).toBeLessThanOrEqual(MAX_MB);
    }
    expect(faults).toEqual([]);
  },
);

import { describe, expect, it } from 'vitest';
import { codeSpan, readTable } from '../support/markdown-table.js';

const MARKDOWN = `
# Title

## 1. First

| code | name |
| ---: | --- |
| 1000 | normal |
| 1001 | \`a \\| b\` |

| other | name |
| --- | --- |
| x | y |

### 1.1 Part of it

\`\`\`text
## 2. No heading

| code | name |
| --- | --- |
| 1 | in a code block |
\`\`\`

| code | name |
| --- | --- |
| 2 | part |

## 3. Broken

| code | name |
| --- | --- |
| 3 |

## 4. Twice

| code | name |
| --- | --- |

text

| code | name |
| --- | --- |
`;

describe('readTable', () => {
  it('reads the rows of the table with these columns', () => {
    expect(readTable(MARKDOWN, '1', ['code', 'name'])).toEqual([
      { code: '1000', name: 'normal' },
      { code: '1001', name: '`a | b`' },
    ]);
    expect(readTable(MARKDOWN, '1', ['other', 'name'])).toEqual([{ other: 'x', name: 'y' }]);
  });

  it('keeps a subsection apart and ignores code blocks', () => {
    expect(readTable(MARKDOWN, '1.1', ['code', 'name'])).toEqual([{ code: '2', name: 'part' }]);
    expect(() => readTable(MARKDOWN, '2', ['code', 'name'])).toThrow('section 2 has 0 tables');
  });

  it('refuses what it would have to guess', () => {
    expect(() => readTable(MARKDOWN, '1', ['code'])).toThrow('section 1 has 0 tables');
    expect(() => readTable(MARKDOWN, '3', ['code', 'name'])).toThrow('a row has 1 cells');
    expect(() => readTable(MARKDOWN, '4', ['code', 'name'])).toThrow('section 4 has 2 tables');
  });
});

describe('codeSpan', () => {
  it('gives the text of a cell that is one code span', () => {
    expect(codeSpan('`maxNesting`')).toBe('maxNesting');
    expect(codeSpan('`maxNesting` (channel)')).toBeUndefined();
    expect(codeSpan('fixed')).toBeUndefined();
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from '../support/repository.js';

const SECTION = '### A 503 is for another node\n';

function linesOf(path: string): string[] {
  const text = readFileSync(join(ROOT, path), 'utf8');
  return text.split('\n').map((line) => line.trim());
}

it('shows the lines for proxies that the sample runs with', () => {
  const [, section = ''] = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8').split(SECTION);
  const [nginx = '', ...haproxy] = [...section.matchAll(/^```text\n(.*?)\n```$/gms)].map(
    ([, text = '']) => text,
  );

  expect(haproxy).toHaveLength(2);
  expect(linesOf('sample/03-chat-cluster/nginx.conf')).toContain(nginx);
  expect(linesOf('sample/03-chat-cluster/haproxy.cfg')).toEqual(
    expect.arrayContaining(haproxy.flatMap((text) => text.split('\n'))),
  );
});

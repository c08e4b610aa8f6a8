import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

it('shows the gateway of the sample as it is', () => {
  expect(read('README.md')).toContain(read('sample/00-hello/chat.gateway.ts'));
});

it('names commands that the package has', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };

  expect(read('README.md')).toContain('npm ci && npm start\nnpm ci && npm test');
  expect(Object.keys(scripts)).toEqual(expect.arrayContaining(['start', 'test']));
});

it('runs in CI what it tells people to run', () => {
  expect(read('.ci/run')).toMatch(/^npm ci && npm test$/m);
});

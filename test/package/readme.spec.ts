import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

it.each(['sample/01-chat/chat.gateway.ts', 'sample/01-chat/public/chat.js'])('shows %s as it is', (path) => {
  expect(read('README.md')).toContain(read(path));
});

it.each(['sample/01-chat/chat.gateway.ts', 'sample/01-chat/public/chat.js'])(
  'fits %s on a screen',
  (path) => {
    expect(read(path).split('\n').length).toBeLessThanOrEqual(55);
  },
);

it('names commands that the package has', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };

  expect(read('README.md')).toContain('npm ci && npm start\nnpm ci && npm test');
  expect(Object.keys(scripts)).toEqual(expect.arrayContaining(['start', 'test']));
});

it('runs in CI what it tells people to run', () => {
  expect(read('.ci/run')).toMatch(/^npm ci && npm test$/m);
});

// Finds what only the benches depend on, installed by `npm ci --prefix bench/rivals`, and what the library does.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

export const { resolve } = createRequire(new URL('./rivals/package.json', import.meta.url));

export function load(name) {
  return import(pathToFileURL(resolve(name)).href);
}

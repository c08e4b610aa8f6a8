import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import base, { ALIAS } from './vitest.config.js';

/** Nest and what it shares with its applications, as `npm run test:apps` has installed it for Nest 11. */
const NEST =
  /^(@nestjs\/(?:common|core|websockets|platform-ws|platform-express|platform-fastify|terminus|testing)|rxjs|reflect-metadata)(\/.*)?$/;
const INSTALLED = fileURLToPath(new URL('test/apps/nest11/node_modules', import.meta.url));

/** What compares with Nest 12, has a library that is installed for it, or relies on the order of its shutdown. */
const NEST_12_ONLY = [
  'stock-parity',
  'request-scope',
  'handshake-throttler',
  'handshake-limits',
  'refresh-rates',
];

/** The specs of the Nest layer and of what is built on it, on Nest 11: `npm run test:nest11`. */
export default defineConfig({
  ...base,
  resolve: { alias: [...ALIAS, { find: NEST, replacement: `${INSTALLED}/$1$2` }] },
  test: {
    ...base.test,
    projects: undefined,
    isolate: false,
    setupFiles: ['test/support/setup.ts', 'test/support/leaves-no-global.ts'],
    include: ['test/nest/**/*.spec.ts', 'test/health/**/*.spec.ts', 'test/inspector/**/*.spec.ts'],
    exclude: NEST_12_ONLY.map((name) => `test/nest/${name}.spec.ts`),
  },
});

import { fileURLToPath } from 'node:url';
import { defaultExclude, defineConfig } from 'vitest/config';

const entry = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The package by its name is what it is made of. */
export const ALIAS = [
  { find: /^nestjs-channels$/, replacement: entry('./lib/index.ts') },
  { find: /^nestjs-channels\/client$/, replacement: entry('./lib/client/index.ts') },
  { find: /^nestjs-channels\/client\/storage$/, replacement: entry('./lib/client/storage/index.ts') },
  { find: /^nestjs-channels\/health$/, replacement: entry('./lib/health/index.ts') },
  { find: /^nestjs-channels\/inspector$/, replacement: entry('./lib/inspector/index.ts') },
  { find: /^nestjs-channels\/metrics$/, replacement: entry('./lib/metrics/index.ts') },
  { find: /^nestjs-channels\/protocol$/, replacement: entry('./lib/protocol/index.ts') },
  { find: /^nestjs-channels\/publisher$/, replacement: entry('./lib/publisher/index.ts') },
  { find: /^nestjs-channels\/redis$/, replacement: entry('./lib/redis/index.ts') },
  { find: /^nestjs-channels\/testing$/, replacement: entry('./lib/testing/index.ts') },
  { find: /^nestjs-channels\/throttler$/, replacement: entry('./lib/throttler/index.ts') },
];

/** Start nothing and leave nothing: they share what was imported, which would take longer than they do. */
const SHARING = ['client', 'codec', 'core', 'nest', 'protocol'].map(
  (directory) => `test/${directory}/**/*.spec.ts`,
);

/** Wait for servers most of the time, and keep no processor busy. */
const WAITING = ['test/redis/**/*.spec.ts'];

const SPECS = ['test/**/*.spec.ts'];

export default defineConfig({
  resolve: { alias: ALIAS },
  test: {
    setupFiles: ['test/support/setup.ts'],
    // As long as a busy machine may take to start two processes and a browser.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: 'sharing',
          include: SHARING,
          isolate: false,
          setupFiles: ['test/support/setup.ts', 'test/support/leaves-no-global.ts'],
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'apart',
          include: SPECS,
          exclude: [...SHARING, ...WAITING, ...defaultExclude],
          // Many of them wait for time to pass.
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: { name: 'waiting', include: WAITING, maxWorkers: 4, sequence: { groupOrder: 2 } },
      },
    ],
  },
});

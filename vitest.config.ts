import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const entry = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The package by its name is what it is made of. */
export const ALIAS = [
  { find: /^nestjs-channels$/, replacement: entry('./lib/index.ts') },
  { find: /^nestjs-channels\/client$/, replacement: entry('./lib/client/index.ts') },
  { find: /^nestjs-channels\/client\/storage$/, replacement: entry('./lib/client/storage/index.ts') },
  { find: /^nestjs-channels\/protocol$/, replacement: entry('./lib/protocol/index.ts') },
  { find: /^nestjs-channels\/publisher$/, replacement: entry('./lib/publisher/index.ts') },
  { find: /^nestjs-channels\/redis$/, replacement: entry('./lib/redis/index.ts') },
  { find: /^nestjs-channels\/testing$/, replacement: entry('./lib/testing/index.ts') },
];

export default defineConfig({
  resolve: { alias: ALIAS },
  test: {
    include: ['test/**/*.spec.ts'],
    setupFiles: ['test/support/setup.ts'],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    maxWorkers: 2,
  },
});

/** What the files of one layer may import, besides their own layer. */
export interface Layer {
  readonly layers: readonly string[] | 'any';
  /** A package name allows its subpaths too; `node:*` and `@nestjs/*` allow all that begin so. */
  readonly packages: readonly string[] | 'any';
}

const NEST = ['@nestjs/*', 'rxjs', 'reflect-metadata', 'node:*'];

/** The layer of `lib/index.ts`, which stands in no folder. */
export const ENTRY = 'index';

/**
 * The table of docs and architecture: folder of `lib/` to what it may import. A folder that is not
 * here fails the test, so a new layer states its rules before it has files.
 */
export const LAYERS: Readonly<Record<string, Layer>> = {
  protocol: { layers: [], packages: [] },
  codec: { layers: ['protocol'], packages: [] },
  core: { layers: ['protocol', 'codec'], packages: ['node:crypto', 'node:timers', 'node:perf_hooks'] },
  transport: { layers: ['protocol', 'codec', 'core'], packages: ['ws', 'node:*'] },
  nest: { layers: ['protocol', 'codec', 'core', 'transport'], packages: NEST },
  client: { layers: ['protocol', 'codec'], packages: [] },
  // The command of the package: a client of a server that may run anywhere.
  cli: { layers: ['protocol', 'client'], packages: ['ws', 'node:*'] },
  // For processes without sockets; a test looks that it brings no package for them.
  publisher: { layers: ['core', 'nest'], packages: NEST },
  // Entries of their own, each with its optional package.
  metrics: { layers: ['protocol', 'core', 'nest'], packages: [...NEST, 'prom-client'] },
  redis: { layers: ['protocol', 'codec', 'core', 'nest'], packages: [...NEST, 'ioredis'] },
  // The page draws with uplot, which is bundled; a test looks that nothing that is loaded needs it.
  inspector: { layers: ['protocol', 'core', 'nest', 'client'], packages: [...NEST, 'uplot'] },
  throttler: { layers: ['protocol', 'core', 'nest'], packages: NEST },
  health: { layers: ['protocol', 'core', 'nest'], packages: NEST },
  testing: { layers: 'any', packages: 'any' },
  // The optional entries are missing on purpose: who installs neither Redis nor prom-client must be
  // able to import the main entry.
  [ENTRY]: { layers: ['protocol', 'codec', 'core', 'transport', 'nest'], packages: [] },
};

/** The one file that may import what stands inside a Nest package, with a feature test for each. */
export const NEST_INTERNALS = 'lib/nest/nest-internals.ts';

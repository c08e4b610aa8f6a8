import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RedisServer } from '../support/redis/redis-server.js';
import { ROOT } from '../support/repository.js';
import { passedNodes, passedSmoke, runSmoke, SMOKE_TIMEOUT_MS, smokeProgram } from '../support/smoke.js';

/** What stands in test/apps/runtimes/package.json, for the machine that the tests run on. */
interface Binary {
  readonly version: string;
  readonly path: string;
}

const RUNTIMES = join(ROOT, 'test/apps/runtimes');

const MACHINE = `${process.platform}-${process.arch}`;

const APPS = [
  { app: 'nest11', loader: 'require' },
  { app: 'nest12', loader: 'import' },
] as const;

/** The oldest releases that `engines` accepts, as `20.19.0`. */
function oldestSupported(): string[] {
  const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const ranges = (engines.node as string).split('||').map((range) => range.replace(/^[\s^>=]+/, '').trim());
  return ranges.map((range) => [...range.split('.'), '0', '0'].slice(0, 3).join('.'));
}

function binaries(machine: string): Binary[] {
  const { optionalDependencies } = JSON.parse(readFileSync(join(RUNTIMES, 'package.json'), 'utf8'));
  return Object.entries(optionalDependencies as Record<string, string>)
    .filter(([name]) => name.endsWith(`-${machine}`))
    .map(([name, target]) => ({
      version: target.slice(target.lastIndexOf('@') + 1),
      path: join(RUNTIMES, 'node_modules', name, 'bin/node'),
    }));
}

describe('the releases of Node that are tried', () => {
  it('are the oldest that engines accepts', () => {
    expect(oldestSupported()).toEqual(['20.19.0', '22.12.0', '24.0.0']);
    expect(binaries('linux-x64').map(({ version }) => version)).toEqual(oldestSupported());
  });
});

const tried = binaries(MACHINE);

// Where no package has a binary for the machine, the applications of test/apps still run on its own Node.
describe.skipIf(tried.length === 0)(`the installed package, on ${MACHINE}`, () => {
  describe.each(tried)('on Node $version', ({ version, path }) => {
    it.each(APPS)(
      'serves, and leaves nothing behind when it is shut down, in $app by $loader',
      async ({ app, loader }) => {
        if (!existsSync(path)) throw new Error(`There is no ${path}: run npm run test:apps.`);

        const result = await runSmoke(path, smokeProgram(app));

        expect(result).toEqual(passedSmoke(version, loader));
      },
      SMOKE_TIMEOUT_MS,
    );

    // With the ioredis of the repository: no application has one of its own.
    it.each(APPS)(
      'makes one of two nodes and a worker that share a Redis, in $app by $loader',
      async ({ app, loader }) => {
        const { url } = await RedisServer.start();

        const result = await runSmoke(path, smokeProgram(app, 'nodes'), { REDIS_URL: url });

        expect(result).toEqual(passedNodes(version, loader));
      },
      SMOKE_TIMEOUT_MS,
    );
  });
});

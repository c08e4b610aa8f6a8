import { execFile } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { temporaryFolder, unpackTarball } from '../support/packed-package.js';
import { readManifest, ROOT } from '../support/repository.js';

/** What an application has that uses no Redis. */
const INSTALLED = ['@nestjs', 'reflect-metadata', 'rxjs', 'ws'];

const ENTRIES = Object.entries(readManifest().exports)
  .filter(([, target]) => typeof target !== 'string')
  .map(([entry]) => `nestjs-channels${entry.slice(1)}`);

const TIMEOUT_MS = 60_000;

const REDIS = 'nestjs-channels/redis';
const THROTTLER = 'nestjs-channels/throttler';
const METRICS = 'nestjs-channels/metrics';
const HEALTH = 'nestjs-channels/health';

const missing = (name: string): RegExp =>
  new RegExp(`^(ERR_)?MODULE_NOT_FOUND: Cannot find (package|module) '${name}`);

/** Tells of each entry that it was loaded, or why it was not. */
const PROGRAM = `
  void (async () => {
    const outcomes = {};
    for (const entry of JSON.parse(process.argv[2])) {
      outcomes[entry] = await load(entry).then(() => 'loaded', ({ code, message }) => code + ': ' + message);
    }
    console.log(JSON.stringify(outcomes));
  })();`;

/** A folder outside of the repository, where ioredis is nowhere above. */
function installWithout(): string {
  const folder = temporaryFolder();
  for (const [path, content] of unpackTarball()) {
    const copy = join(folder, 'node_modules/nestjs-channels', path);
    mkdirSync(dirname(copy), { recursive: true });
    writeFileSync(copy, content);
  }
  for (const name of INSTALLED)
    symlinkSync(join(ROOT, 'test/apps/nest12/node_modules', name), join(folder, 'node_modules', name));
  writeFileSync(join(folder, 'esm.mjs'), `const load = (entry) => import(entry);${PROGRAM}`);
  writeFileSync(join(folder, 'cjs.cjs'), `const load = async (entry) => require(entry);${PROGRAM}`);
  return folder;
}

describe('an application without any optional peer', { timeout: TIMEOUT_MS }, () => {
  it.each(['esm.mjs', 'cjs.cjs'])(
    'has every entry but those that build on them, which name what is missing, in %s',
    async (file) => {
      const folder = installWithout();

      const { stdout } = await promisify(execFile)(
        process.execPath,
        [join(folder, file), JSON.stringify(ENTRIES)],
        { cwd: folder },
      );

      const loaded = Object.fromEntries(ENTRIES.map((entry) => [entry, 'loaded']));
      expect(JSON.parse(stdout)).toEqual({
        ...loaded,
        [REDIS]: expect.stringMatching(missing('ioredis')),
        [THROTTLER]: expect.stringMatching(missing('@nestjs/throttler')),
        [METRICS]: expect.stringMatching(missing('prom-client')),
        [HEALTH]: expect.stringMatching(missing('@nestjs/terminus')),
      });
    },
  );
});

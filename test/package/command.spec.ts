import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { expectInstalled } from '../support/packed-package.js';
import { readManifest, ROOT } from '../support/repository.js';

const run = promisify(execFile);

/** npm itself takes a second to start. */
const NPX_TIMEOUT_MS = 60_000;

const APP = 'nest12';

describe('npx nestjs-channels, installed from the tarball', () => {
  const cwd = join(ROOT, 'test/apps', APP);
  // Never from a registry.
  const npx = (...args: readonly string[]) =>
    run('npx', ['--offline', '--no', '--', 'nestjs-channels', ...args], { cwd });

  it(
    'tells its version and its help',
    async () => {
      expectInstalled(APP);

      const [version, help] = [await npx('--version'), await npx('load', '--help')];

      expect(version.stdout).toBe(`${readManifest().version}\n`);
      expect(help.stdout).toMatch(/^Usage: nestjs-channels load <url>/);
    },
    NPX_TIMEOUT_MS,
  );

  it(
    'ends with the exit code of the command',
    async () => {
      await expect(npx('load', 'nowhere')).rejects.toMatchObject({
        code: 2,
        stderr: expect.stringContaining('url (nowhere) must begin with ws:// or wss://'),
      });
    },
    NPX_TIMEOUT_MS,
  );
});

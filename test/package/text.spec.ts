import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findMachinePaths, machinePaths } from '../support/machine-paths.js';
import { ROOT } from '../support/repository.js';

const LOCK_FILE = 'package-lock.json';

describe('the text of the repository', () => {
  it('names no path of the machine it was written on', () => {
    const paths = machinePaths();

    const found = textFiles().flatMap((file) => findMachinePaths(file, contentOf(file), paths));

    expect(textFiles()).toContain('package.json');
    expect(found).toEqual([]);
  });

  it('locks packages without the registry they came from', () => {
    const lockfiles = [LOCK_FILE, ...textFiles().filter((file) => file.endsWith(`/${LOCK_FILE}`))];
    const packages = lockfiles.flatMap((file) => {
      const lock: { packages: Record<string, object> } = JSON.parse(contentOf(file));
      return Object.entries(lock.packages).map(([path, entry]) => ({ path: `${file} ${path}`, entry }));
    });

    const bound = packages.filter(({ entry }) => 'resolved' in entry).map(({ path }) => path);

    expect(lockfiles).toHaveLength(5);
    expect(packages.length).toBeGreaterThan(500);
    expect(bound).toEqual([]);
  });
});

// Negative control for the first test above.
describe('the search for machine paths', () => {
  const search = (text: string): string[] => findMachinePaths('a.md', text, ['/srv/repo', '/home/ann/']);

  it.each(['cd /srv/repo', '"/srv/repo/lib"', 'file:///srv/repo', 'see /home/ann/notes', '(/srv/repo)'])(
    'reports %s',
    (text) => {
      expect(search(`first\n${text}`)).toEqual([expect.stringMatching(/^a\.md:2 names \/(srv|home)\//)]);
    },
  );

  it.each(['/srv/repository', '/mnt/srv/repo', 'https://host.example/srv/repo', '/home/anna/x', '/home/ann'])(
    'passes over %s',
    (text) => {
      expect(search(text)).toEqual([]);
    },
  );
});

/** What git tracks or would add, without binary files and what is deleted but not yet committed. */
function textFiles(): string[] {
  // A container's root may not own the checkout, which git takes for an attack unless told otherwise.
  const trust = ['-c', `safe.directory=${ROOT}`];
  const listed = execFileSync('git', [...trust, 'ls-files', '-coz', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return listed
    .split('\0')
    .filter((file) => file !== '' && file !== LOCK_FILE && existsSync(join(ROOT, file)))
    .filter((file) => !contentOf(file).includes('\0'));
}

function contentOf(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

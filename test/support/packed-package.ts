import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { onTestFinished } from 'vitest';
import { ROOT } from './repository.js';

/** What `npm run test:apps` has packed, and the applications of `test/apps` have installed. */
export const TARBALL = join(ROOT, 'test-artifacts/package/nestjs-channels.tgz');

const PREFIX = join(tmpdir(), 'packed-package-');

/** A package as npm unpacks it: its files, by their paths with `/`. */
export type PackageFiles = Map<string, Buffer>;

/** The files of the tarball. Throws where the tarball is not what the repository would pack now. */
export function unpackTarball(): PackageFiles {
  if (!existsSync(TARBALL)) throw new Error('There is no tarball: run npm run test:apps.');
  const folder = mkdtempSync(PREFIX);
  try {
    execFileSync('tar', ['-xzf', TARBALL, '-C', folder]);
    const files = readFolder(join(folder, 'package'));
    checkFresh(files);
    return files;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Throws where an application of `test/apps` has not installed that tarball. */
export function expectInstalled(app: string): void {
  const installed = join(ROOT, 'test/apps', app, 'node_modules/nestjs-channels');
  for (const [path, content] of unpackTarball()) {
    const copy = join(installed, path);
    if (!existsSync(copy) || !readFileSync(copy).equals(content))
      throw new Error(`${app} has another ${path} than the tarball: run npm run test:apps.`);
  }
}

/** The tarball with other contents, or without files; it goes with the test. */
export function packFiles(files: PackageFiles): string {
  const folder = temporaryFolder();
  cpSync(TARBALL, join(folder, 'original.tgz'));
  execFileSync('tar', ['-xzf', 'original.tgz'], { cwd: folder });
  for (const path of readFolder(join(folder, 'package')).keys()) {
    const content = files.get(path);
    if (content === undefined) rmSync(join(folder, 'package', path));
    else writeFileSync(join(folder, 'package', path), content);
  }
  execFileSync('tar', ['-czf', 'changed.tgz', 'package'], { cwd: folder });
  return join(folder, 'changed.tgz');
}

/** Goes with the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(PREFIX);
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

function readFolder(folder: string): PackageFiles {
  const files: PackageFiles = new Map();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(relative(folder, path).split(sep).join('/'), readFileSync(path));
  }
  return files;
}

/** Texts may be a word behind; code and package.json may not. */
function checkFresh(files: PackageFiles): void {
  for (const [path, content] of files) {
    const source = join(ROOT, path);
    if (!path.startsWith('dist/') && path !== 'package.json') continue;
    if (!existsSync(source) || !readFileSync(source).equals(content))
      throw new Error(`${path} of the tarball is not that of the repository: run npm run test:apps.`);
  }
}

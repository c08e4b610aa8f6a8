import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { TARBALL, unpackTarball, type PackageFiles } from '../support/packed-package.js';
import { readTree } from '../support/repository.js';

interface PublishedManifest {
  readonly license: string;
  readonly type: string;
  readonly sideEffects: boolean;
  readonly engines: { readonly node: string };
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly publishConfig: { readonly access: string; readonly provenance: boolean };
  readonly scripts: Readonly<Record<string, string>>;
}

const ENTRIES = [
  '.',
  './client',
  './client/storage',
  './health',
  './inspector',
  './metrics',
  './protocol',
  './publisher',
  './redis',
  './testing',
  './throttler',
];

/** Scripts that npm runs on the machine of whoever installs the package. */
const INSTALL_SCRIPTS = new Set(['preinstall', 'install', 'postinstall', 'prepare']);

/** Where a page is bundled instead of compiled. */
const PAGE = 'lib/inspector/page/';

/** What the tarball must hold: what is compiled and bundled from lib, and what npm shows. */
function expectedFiles(): string[] {
  const modules = [...readTree('lib', '.ts').keys()]
    .filter((path) => !path.startsWith(PAGE))
    .map((path) => path.replace(/^lib\/(.*)\.ts$/, 'dist/$1'));
  return [
    ...modules.flatMap((module) => [`${module}.js`, `${module}.d.ts`]),
    ...['dist/inspector/page/inspector.js', 'dist/inspector/page/inspector.css'],
    ...['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md'],
  ].toSorted();
}

/** What npm gives a file, whatever it is in the repository: `-rw-r--r--`. */
function modeOf(path: string): string | undefined {
  const listed = execFileSync('tar', ['-tvzf', TARBALL], { encoding: 'utf8' }).split('\n');
  return listed.find((line) => line.endsWith(` package/${path}`))?.split(' ')[0];
}

function manifestOf(files: PackageFiles): PublishedManifest {
  return JSON.parse(String(files.get('package.json')));
}

describe('the tarball', () => {
  const files = unpackTarball();
  const manifest = manifestOf(files);

  it('holds what is compiled from lib, package.json, README, LICENSE and CHANGELOG, and nothing else', () => {
    const expected = expectedFiles();

    expect(expected.length).toBeGreaterThan(ENTRIES.length * 2);
    expect([...files.keys()].toSorted()).toEqual(expected);
  });

  it('refers to no source map: none is in it', () => {
    const referring = [...files].filter(([, content]) => content.includes('sourceMappingURL'));

    expect(referring.map(([path]) => path)).toEqual([]);
  });

  it('exports every entry with its types first, and its own package.json', () => {
    const { './package.json': ownManifest, ...entries } = manifest.exports;

    expect(ownManifest).toBe('./package.json');
    expect(Object.keys(entries)).toEqual(ENTRIES);
    for (const target of Object.values(entries)) {
      expect(Object.keys(target)).toEqual(['types', 'default']);
      for (const path of Object.values(target)) expect([...files.keys()]).toContain(path.replace('./', ''));
    }
  });

  it('says how it may be used', () => {
    expect(manifest).toMatchObject({
      license: 'MIT',
      type: 'module',
      sideEffects: false,
      engines: { node: '^20.19.0 || ^22.12.0 || >=24' },
    });
    expect(String(files.get('LICENSE'))).toMatch(/^MIT License/);
  });

  it('brings one command, which is a program of Node that may be executed', () => {
    const path = 'dist/cli/main.js';

    expect(manifest.bin).toEqual({ 'nestjs-channels': path });
    expect(String(files.get(path))).toMatch(/^#!\/usr\/bin\/env node\n/);
    expect(modeOf(path)).toMatch(/^-rwxr-xr-x$/);
  });

  it('is published for everybody, with its provenance', () => {
    expect(manifest.publishConfig).toEqual({ access: 'public', provenance: true });
  });

  it('brings the page of the inspector whole, with the licence of what is in it', () => {
    const [script, style] = ['js', 'css'].map((kind) =>
      String(files.get(`dist/inspector/page/inspector.${kind}`)),
    );

    for (const text of [script, style]) {
      expect(text).toMatch(/^\/\*! uPlot 1\.[^]*Permission is hereby granted/);
      expect(text).not.toMatch(/\bimport\b *["'(@{]|\bfrom *["']|url\(|https?:\/\//);
    }
  });

  it('runs nothing where it is installed', () => {
    expect(Object.keys(manifest.scripts).filter((name) => INSTALL_SCRIPTS.has(name))).toEqual([]);
  });
});

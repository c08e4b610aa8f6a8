import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { describe, expect, it } from 'vitest';
import {
  packFiles,
  TARBALL,
  temporaryFolder,
  unpackTarball,
  type PackageFiles,
} from '../support/packed-package.js';
import { readManifest, ROOT } from '../support/repository.js';

interface TypesProblem {
  readonly kind: string;
  readonly entrypoint?: string;
  readonly resolutionKind?: string;
}

interface TypesReport {
  readonly analysis: {
    readonly entrypoints: Readonly<Record<string, object>>;
    readonly problems: readonly TypesProblem[];
  };
}

/**
 * What a package without CommonJS has by its nature, see docs/decisions/0006-package.md: the resolution of
 * TypeScript 4 knows no `exports`, and `require` gets a module of ESM, which every Node that is supported takes.
 */
const INHERENT = ['CJSResolvesToESM node16-cjs', 'NoResolution node10'];

/** Each takes a compiler through all entries, next to the other tests of the run. */
const ATTW_TIMEOUT_MS = 60_000;

/** What publint has to say, suggestions included. */
async function lint(tarball: string): Promise<string[]> {
  const content = new Uint8Array(readFileSync(tarball)).buffer;
  const { messages, pkg } = await publint({ level: 'suggestion', pack: { tarball: content } });
  return messages.map((message) => `${message.code} ${formatMessage(message, pkg, { color: false })}`);
}

/** What `attw` reports, as `kind resolution`, by entry. */
function checkTypes(tarball: string): Map<string, string[]> {
  const attw = join(ROOT, 'node_modules/@arethetypeswrong/cli/dist/index.js');
  const folder = temporaryFolder();
  const report = join(folder, 'report.json');
  // Into a file: it ends without waiting until a pipe has taken the whole report.
  const out = openSync(report, 'w');
  const { stderr } = spawnSync(process.execPath, [attw, tarball, '--format', 'json'], {
    encoding: 'utf8',
    stdio: ['ignore', out, 'pipe'],
  });
  closeSync(out);
  const json = readFileSync(report, 'utf8');
  if (!json.startsWith('{')) throw new Error(`attw gave no report:\n${json}${stderr}`);
  const { analysis } = JSON.parse(json) as TypesReport;
  const entries = new Map(Object.keys(analysis.entrypoints).map((entry) => [entry, [] as string[]]));
  for (const { kind, entrypoint = '.', resolutionKind = '' } of analysis.problems)
    entries.get(entrypoint)?.push(`${kind} ${resolutionKind}`);
  return entries;
}

/** The tarball with another package.json, or with other files. */
function changed(change: (files: PackageFiles, manifest: Record<string, unknown>) => void): string {
  const files = unpackTarball();
  const manifest = JSON.parse(String(files.get('package.json')));
  change(files, manifest);
  files.set('package.json', Buffer.from(JSON.stringify(manifest)));
  return packFiles(files);
}

describe('publint', () => {
  it('finds nothing in the tarball', async () => {
    expect(await lint(TARBALL)).toEqual([]);
  });

  // Negative control: it reads the tarball and not the repository.
  it('finds an entry that is not there', async () => {
    const tarball = changed((files) => files.delete('dist/client/index.js'));

    expect(await lint(tarball)).toContainEqual(expect.stringMatching(/^FILE_DOES_NOT_EXIST .*\.\/client/));
  });

  it('finds types that do not stand first', async () => {
    const tarball = changed((_files, manifest) => {
      manifest['exports'] = { '.': { default: './dist/index.js', types: './dist/index.d.ts' } };
    });

    expect(await lint(tarball)).toContainEqual(expect.stringMatching(/^EXPORTS_TYPES_SHOULD_BE_FIRST /));
  });
});

describe('Are the types wrong', { timeout: ATTW_TIMEOUT_MS }, () => {
  it('finds nothing but what a package without CommonJS cannot have', () => {
    const entries = checkTypes(TARBALL);

    expect([...entries.keys()].toSorted()).toEqual(Object.keys(readManifest().exports).toSorted());
    for (const [entry, problems] of entries) {
      const allowed = entry === './package.json' ? [] : INHERENT;
      expect({ [entry]: problems.toSorted() }).toEqual({ [entry]: allowed });
    }
  });

  // Negative control, for the resolution that the check above excuses the most of.
  it('finds an entry without types, also for require', () => {
    const tarball = changed((files) => files.delete('dist/protocol/index.d.ts'));

    const problems = checkTypes(tarball).get('./protocol');

    expect(problems).toEqual(expect.arrayContaining(['UntypedResolution node16-cjs']));
  });
});

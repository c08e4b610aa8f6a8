// npm run test:apps: packs the package, and installs the tarball into the applications of test/apps.
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const tarball = `${root}test-artifacts/package/nestjs-channels.tgz`;
const quiet = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];

pack();
installLocked(`${root}test/apps/runtimes/`);
for (const app of ['nest11', 'nest12']) install(app);

function pack() {
  removeStale();
  const folder = `${root}test-artifacts/package`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  npm(root, 'pack', '--pack-destination', folder);
  const [file] = readdirSync(folder);
  renameSync(`${folder}/${file}`, tarball);
}

/** What a module has left in dist that is no longer in lib; `npm publish` begins with an empty folder. */
function removeStale() {
  for (const entry of readdirSync(`${root}dist`, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const source = path.replace(`${root}dist`, `${root}lib`).replace(/(\.d\.ts|\.js)$/, '.ts');
    if (/\.(js|d\.ts)$/.test(path) && entry.isFile() && !existsSync(source)) rmSync(path);
  }
}

/** What the lockfile says, then the tarball, which no lockfile can know; then the shared gateways, compiled. */
function install(app) {
  const folder = `${root}test/apps/${app}/`;
  installLocked(folder);
  npm(folder, 'install', '--no-save', tarball);
  for (const generated of ['src', 'dist']) rmSync(folder + generated, { recursive: true, force: true });
  cpSync(`${root}test/apps/drop-in`, `${folder}src`, { recursive: true });
  cpSync(`${root}test/apps/runtimes/src`, `${folder}src/runtimes`, { recursive: true });
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc'], { cwd: folder, stdio: 'inherit' });
}

/** Only where the lockfile is not the one that was installed: everything in it is pinned. */
function installLocked(folder) {
  const lockfile = readFileSync(`${folder}package-lock.json`, 'utf8');
  const installed = `${folder}node_modules/.installed-lockfile`;
  if (existsSync(installed) && readFileSync(installed, 'utf8') === lockfile) return;
  npm(folder, 'ci');
  writeFileSync(installed, lockfile);
}

function npm(cwd, ...args) {
  execFileSync('npm', [...args, ...quiet], { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
}

// Writes what a bench has measured into bench/RESULTS.md: each bench owns a section, and replaces no other.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { resolve } from './rivals.mjs';

const own = createRequire(import.meta.url);

const FOLDER = new URL('./results/', import.meta.url);
const FILE = new URL('./RESULTS.md', import.meta.url);

/** The sections in the order in which they are read. */
const ORDER = [
  'fanout',
  'overload',
  'requests',
  'idle',
  'compression',
  'scale',
  'interests',
  'sockets',
  'reconnects',
  'deploys',
  'observers',
  'earlier',
  'profiles',
];

const INTRODUCTION = `# Results

What \`npm run bench\` and its kin have measured, written by them. Read the ratios: absolute figures of a machine that is shared mean little, and two of different runs compare with nothing. Each section says when, where and of which versions. "CPU" is that of the server process, by \`process.cpuUsage\`; the load comes from a process of its own that only counts bytes. What is "met" or "MISSED" is a bar that was set before anything was measured.
`;

/**
 * Writes the section \`name\`, one of {@link ORDER}, and puts the whole file together anew.
 *
 * @param lines - Markdown
 * @param packages - those that were measured, whose versions are told
 */
export function saveSection(name, title, lines, packages = []) {
  if (!ORDER.includes(name)) throw new Error(`${name} is none of the sections ${ORDER.join(', ')}`);
  mkdirSync(FOLDER, { recursive: true });
  const text = [`## ${title}`, '', machine(packages), '', ...lines, ''].join('\n');
  writeFileSync(new URL(`${name}.md`, FOLDER), text);
  writeFileSync(FILE, results());
}

/** The whole file: the sections that are written, in their order. */
export function results() {
  const written = new Set(readdirSync(FOLDER));
  const sections = ORDER.map((section) => `${section}.md`).filter((file) => written.has(file));
  const texts = sections.map((file) => readFileSync(new URL(file, FOLDER), 'utf8'));
  return [INTRODUCTION, ...texts].join('\n');
}

/** Lines of a table. */
export function table(head, rows) {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
}

function machine(packages) {
  const date = new Date().toISOString().slice(0, 10);
  const commit =
    git('log', '-1', '--format=%h', '--', 'lib') + (git('status', '--porcelain', '--', 'lib') && ', changed');
  const [{ model }] = cpus();
  const versions = packages.map((name) => `${name} ${versionOf(name)}`);
  return [
    `${date}, library of commit ${commit}`,
    `${cpus().length} × ${model.trim()}`,
    `Node ${process.versions.node}`,
    ...versions,
  ].join(', ');
}

function git(...args) {
  return execFileSync('git', args, { encoding: 'utf8' }).trim();
}

/** Packages need not export their package.json. What the library has too is measured with its copy. */
function versionOf(name) {
  const folders = [...own.resolve.paths(name), ...resolve.paths(name)];
  const files = folders.map((folder) => `${folder}/${name}/package.json`);
  return JSON.parse(readFileSync(files.find(existsSync), 'utf8')).version;
}

import { posix } from 'node:path';
import { readImports, type Import } from './imports.js';
import { ENTRY, LAYERS, NEST_INTERNALS, type Layer } from './layers.js';

/** Path from the repository's root, such as `lib/core/hub.ts`, to the file's text. */
export type Sources = ReadonlyMap<string, string>;

/** Every breach of the import rules, as `file:line what is wrong`. Empty when all is well. */
export function findImportBreaches(sources: Sources): string[] {
  return [...unknownLayers(sources), ...breachesByFile(sources), ...findCycles(sources)];
}

function unknownLayers(sources: Sources): string[] {
  const unknown = new Set<string>();
  for (const path of sources.keys()) {
    if (LAYERS[layerOf(path)] === undefined) unknown.add(layerOf(path));
  }
  return [...unknown].map((name) => `lib/${name} is in no layer: add it to test/support/layers.ts`);
}

function breachesByFile(sources: Sources): string[] {
  const breaches: string[] = [];
  for (const [path, text] of sources) {
    for (const found of readImports(path, text)) {
      const breach = isRelative(found) ? relativeBreach(sources, path, found) : packageBreach(path, found);
      if (breach !== undefined) breaches.push(`${path}:${found.line} ${breach}`);
    }
  }
  return breaches;
}

function relativeBreach(sources: Sources, path: string, { specifier }: Import): string | undefined {
  if (!specifier.endsWith('.js')) return `imports ${specifier} without a .js suffix`;
  const target = resolve(path, specifier);
  if (!target.startsWith('lib/')) return `imports ${specifier}, which is outside lib`;
  if (!sources.has(target)) return `imports ${specifier}, which does not exist`;
  const from = layerOf(path);
  const to = layerOf(target);
  if (from === to || allowsLayer(LAYERS[from], to)) return undefined;
  return `imports ${specifier}: ${from} must not import ${to}`;
}

function packageBreach(path: string, { specifier }: Import): string | undefined {
  if (isInsideNestPackage(specifier) && path !== NEST_INTERNALS) {
    return `imports ${specifier}: what is inside a Nest package belongs in ${NEST_INTERNALS}`;
  }
  const layer = layerOf(path);
  return allowsPackage(LAYERS[layer], specifier)
    ? undefined
    : `imports ${specifier}: ${layer} must not import it`;
}

/** Cycles of files that load each other. Type-only imports are gone at run time and do not count. */
function findCycles(sources: Sources): string[] {
  const cycles: string[] = [];
  const finished = new Set<string>();
  const walk = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) cycles.push(`import cycle: ${[...trail.slice(start), path].join(' -> ')}`);
    if (start >= 0 || finished.has(path)) return;
    for (const next of loadedBy(sources, path)) walk(next, [...trail, path]);
    finished.add(path);
  };
  for (const path of sources.keys()) walk(path, []);
  return cycles;
}

function loadedBy(sources: Sources, path: string): string[] {
  return readImports(path, sources.get(path) ?? '')
    .filter((found) => isRelative(found) && !found.typeOnly)
    .map((found) => resolve(path, found.specifier))
    .filter((target) => sources.has(target));
}

function layerOf(path: string): string {
  if (path === 'lib/index.ts') return ENTRY;
  return path.split('/')[1] ?? path;
}

function isRelative({ specifier }: Import): boolean {
  return specifier.startsWith('.');
}

function resolve(from: string, specifier: string): string {
  return posix.join(posix.dirname(from), specifier).replace(/\.js$/, '.ts');
}

function isInsideNestPackage(specifier: string): boolean {
  return /^@nestjs\/[^/]+\/./.test(specifier);
}

// An unknown layer has been reported by name; a line for each of its imports would hide that.
function allowsLayer(layer: Layer | undefined, name: string): boolean {
  return layer === undefined || layer.layers === 'any' || layer.layers.includes(name);
}

function allowsPackage(layer: Layer | undefined, specifier: string): boolean {
  if (layer === undefined || layer.packages === 'any') return true;
  return layer.packages.some((allowed) =>
    allowed.endsWith('*')
      ? specifier.startsWith(allowed.slice(0, -1))
      : specifier === allowed || specifier.startsWith(`${allowed}/`),
  );
}

import { homedir } from 'node:os';
import { ROOT } from './repository.js';

/** Paths that hold on this machine only: the checkout and the home directory. */
export function machinePaths(): string[] {
  const home = homedir().replace(/\/$/, '');
  // "/app" may well be a route or a folder in an image, and the home of `nobody` is "/".
  return [...(depth(ROOT) > 1 ? [ROOT] : []), ...(depth(home) > 0 ? [`${home}/`] : [])];
}

/** The lines of a text that name one of the paths, as `file:line names /the/path`. */
export function findMachinePaths(file: string, text: string, paths: readonly string[]): string[] {
  const patterns = paths.map((path) => ({ path, pattern: wholePath(path) }));
  return text.split('\n').flatMap((line, index) => {
    const named = patterns.filter(({ pattern }) => pattern.test(line));
    return named.map(({ path }) => `${file}:${index + 1} names ${path}`);
  });
}

function depth(path: string): number {
  return path.split('/').filter((segment) => segment !== '').length;
}

/** `/a/b` also in `"/a/b/c"` and `file:///a/b`, but neither in `/a/bc` nor in `/x/a/b`. */
function wholePath(path: string): RegExp {
  const quoted = path.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`(?<![\\w.-])${quoted}${path.endsWith('/') ? '' : String.raw`(?![\w-])`}`);
}

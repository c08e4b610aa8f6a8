import { readFileSync } from 'node:fs';

/** What `npm run build` has bundled; the path is right from `lib`, which tests run, and from `dist` alike. */
const FOLDER = new URL('../../dist/inspector/page/', import.meta.url);

/** Script and style of the page. */
export interface Assets {
  readonly script: string;
  readonly style: string;
}

/** @throws Error where they are not in the package */
export function readAssets(): Assets {
  return { script: read('inspector.js'), style: read('inspector.css') };
}

function read(name: string): string {
  return readFileSync(new URL(name, FOLDER), 'utf8');
}

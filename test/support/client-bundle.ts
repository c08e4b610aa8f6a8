import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { rolldown, type OutputChunk } from 'rolldown';
import { ROOT } from './repository.js';

export type BundleFormat = 'esm' | 'iife';

export interface ClientBundle {
  readonly code: string;
  /** What is still imported from elsewhere: Node's own modules, packages. */
  readonly imports: readonly string[];
}

/** The module that users get as `nestjs-channels/client`, in TypeScript: never older than the sources. */
export const CLIENT_SOURCE = join(ROOT, 'lib/client/index.ts');

/** The same of `nestjs-channels/client/storage`. */
export const STORAGE_SOURCE = join(ROOT, 'lib/client/storage/index.ts');

/** The name of the module in a script of format `iife`. */
export const GLOBAL_NAME = 'channels';

/** Bundles and minifies a module for browsers, as the bundler of a user does. */
export async function bundleForBrowser(input: string, format: BundleFormat = 'esm'): Promise<ClientBundle> {
  const external = builtinModules.flatMap((name) => [name, `node:${name}`]);
  const bundle = await rolldown({ input, platform: 'browser', external, logLevel: 'silent' });
  const { output } = await bundle.generate({ format, name: GLOBAL_NAME, minify: true });
  await bundle.close();
  const chunks = output.filter((part): part is OutputChunk => part.type === 'chunk');
  return {
    code: chunks.map(({ code }) => code).join('\n'),
    imports: chunks.flatMap(({ imports, dynamicImports }) => [...imports, ...dynamicImports]),
  };
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** One line of the library, made wrong. */
export interface Mutation {
  /** Of the package, such as `lib/core/lane.ts`. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/**
 * Bundles the simulation with the library as it is, or with one line of it made wrong.
 *
 * @returns the code of a worker
 * @throws Error where the line is not there exactly once
 */
export async function build(mutation?: Mutation): Promise<string> {
  const wrong = mutation && { id: join(ROOT, mutation.file), code: mutate(mutation) };
  const bundle = await rolldown({
    input: fileURLToPath(new URL('worker.ts', import.meta.url)),
    platform: 'node',
    plugins: [
      {
        name: 'mutation',
        load: (id: string) =>
          id === wrong?.id ? { code: wrong.code, moduleType: 'ts' as const } : undefined,
      },
    ],
  });
  const { output } = await bundle.generate({ format: 'esm' });
  await bundle.close();
  return output[0].code;
}

export function mutate({ file, find, replace }: Mutation): string {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const parts = text.split(find);
  if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times: ${find}`);
  return parts.join(replace);
}

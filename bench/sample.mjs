// Sources of a sample as Node runs them: benches measure with what the sample shows, and not with a copy of it.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import ts from 'typescript';

const ROOT = new URL('../', import.meta.url);

/** Compiles a file below `sample` into `dist-sample/bench`. What it imports from its folder has to be named as well. */
export function compileSample(path) {
  const { outputText } = ts.transpileModule(readFileSync(new URL(`sample/${path}.ts`, ROOT), 'utf8'), {
    compilerOptions: {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.ESNext,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
    },
  });
  const target = new URL(`dist-sample/bench/${path}.js`, ROOT);
  mkdirSync(dirname(target.pathname), { recursive: true });
  // In one step: another bench may be reading it.
  const draft = new URL(`${target}.${process.pid}`);
  writeFileSync(draft, outputText);
  renameSync(draft, target);
}

import type { Counterexample } from './shrink.js';

/** As it stands in `counterexamples.spec.ts`. */
export function printed({ history, violation }: Counterexample): string {
  const { commands, ...world } = history;
  const lines = commands.map((command) => `    ${JSON.stringify(command)},`);
  return [
    `${violation.invariant}: ${violation.text}`,
    JSON.stringify(world),
    'commands: [',
    ...lines,
    ']',
  ].join('\n');
}

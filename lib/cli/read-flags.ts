import { parseArgs } from 'node:util';
import { LOAD_FLAGS, type LoadFlag } from './load-flags.js';
import { UsageError } from './usage-error.js';

const FLAGS: ReadonlyMap<string, LoadFlag> = new Map(Object.entries(LOAD_FLAGS));

/** The options as `parseArgs` takes them. */
const PARSED = Object.fromEntries(
  [...FLAGS].map(([name, { value }]) => [name, { type: value ? 'string' : 'boolean' } as const]),
);

export type FlagValues = Readonly<Partial<Record<string, string>>>;

/** What was typed, by the names of options. */
export interface TypedFlags {
  readonly values: FlagValues;
  readonly switches: ReadonlySet<string>;
  readonly positionals: readonly string[];
}

/**
 * Takes what stands behind `load` apart.
 *
 * @throws UsageError for an option that is none, or has no value; it never repeats a value
 */
export function readFlags(args: readonly string[]): TypedFlags {
  const values: Record<string, string> = {};
  const switches = new Set<string>();
  const positionals: string[] = [];
  // Not strict: its own errors would have to be taken apart to say what to do, and may repeat what was given.
  const { tokens } = parseArgs({ args: [...args], options: PARSED, strict: false, tokens: true });
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const value = readFlag(token);
    if (value === undefined) switches.add(token.name);
    else values[token.name] = value;
  }
  return { values, switches, positionals };
}

/** An option as it was typed. */
interface TypedFlag {
  readonly name: string;
  /** With its dashes. */
  readonly rawName: string;
  readonly value: string | undefined;
  /** The value stands behind a `=`. */
  readonly inlineValue: boolean | undefined;
}

/** The value of an option, which a switch has none of. */
function readFlag({ name, rawName, value, inlineValue }: TypedFlag): string | undefined {
  const flag = FLAGS.get(name);
  if (!flag) throw new UsageError(`${rawName} is no option; load --help lists them.`);
  if (flag.value === undefined) {
    if (value !== undefined) throw new UsageError(`--${name} takes no value; leave it out.`);
    return undefined;
  }
  // Without a value the parser takes the option behind it for one.
  if (value === undefined || (!inlineValue && value.startsWith('--')))
    throw new UsageError(`--${name} needs a value: --${name} ${flag.value}.`);
  return value;
}

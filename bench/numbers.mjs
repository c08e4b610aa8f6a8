// What the benches have in common on the way from runs to a table.

export function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** Milliseconds of a clock that all processes of this machine share. */
export function now() {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** The value that this share of what was counted does not exceed, by how often each was seen; nothing of nothing. */
export function percentile(counts, share) {
  const values = Object.keys(counts)
    .map(Number)
    .toSorted((a, b) => a - b);
  const total = values.reduce((sum, value) => sum + counts[value], 0);
  let rest = Math.ceil(total * share);
  return values.find((value) => (rest -= counts[value]) <= 0);
}

export function printTable(head, rows) {
  for (const cells of [head, head.map(() => '---'), ...rows]) console.log(`| ${cells.join(' | ')} |`);
}

/** The number behind `--name`, or the default. */
export function numberOf(name, fallback, args = process.argv) {
  const at = args.indexOf(`--${name}`);
  if (at < 0) return fallback;
  const value = Number(args[at + 1]);
  if (Number.isFinite(value) && value >= 0) return value;
  console.error(`--${name} (${args[at + 1]}) must be a number of at least 0`);
  process.exit(2);
}

/** Prints a bar with what was measured, and remembers a miss for the exit code. */
export function checkBar(text, isMet) {
  console.log(`${isMet ? 'met   ' : 'MISSED'} ${text}`);
  if (!isMet) process.exitCode = 1;
}

export const kib = (bytes) => (bytes / 1_024).toFixed(2);

export const grouped = (number) => number.toLocaleString('en-US');

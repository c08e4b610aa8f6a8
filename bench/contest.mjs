// What the cases have in common: the servers that they run, what is measured of them, and the bars.
import { dialectOf } from './dialects.mjs';
import { median } from './numbers.mjs';
import { table } from './results.mjs';
import { withServer } from './serve.mjs';

/** What can be measured of a run. Each is better where it is less, but for `perSecond`. */
const FIGURES = {
  microseconds: { name: 'CPU', unit: 'CPU µs each', digits: 2 },
  perSecond: { name: 'throughput', unit: 'per second', digits: 0 },
  bytes: { name: 'bytes', unit: 'bytes each', digits: 0 },
  p50Ms: { name: 'p50', unit: 'p50 ms', digits: 1 },
  p99Ms: { name: 'p99', unit: 'p99 ms', digits: 1 },
  maxMs: { name: 'max', unit: 'max ms', digits: 1 },
  lost: { name: 'lost', unit: 'lost', digits: 0 },
  sentMs: { name: 'sent', unit: 'sent within ms', digits: 0 },
  rssKib: { name: 'RSS', unit: 'RSS, KiB more', digits: 2 },
  heapKib: { name: 'heap and buffers', unit: 'heap and buffers, KiB more', digits: 2 },
  loadPercent: { name: 'load', unit: 'CPU % of the load', digits: 0 },
};

/** CPU of the load, in percent, from where it may be the load that is measured. */
const BUSY_PERCENT = 95;

/** Runs the server of an entry, which is a name or has `name`, `file` and `args`, and hands it to `use` for measuring. */
export function onServer(entry, use) {
  const { name, file = name, args } = entryOf(entry);
  return withServer(
    file,
    (server) => use({ ...server, name, dialect: dialectOf(file), measure: (work) => measure(server, work) }),
    args,
  );
}

export function entryOf(entry) {
  return typeof entry === 'string' ? { name: entry } : entry;
}

/** `--profile`: tells in which functions of the server most of the time was spent. */
const isProfiled = process.argv.includes('--profile');

async function measure({ ask }, work) {
  if (isProfiled) await ask('profile');
  const before = await ask('usage');
  const loadBefore = process.cpuUsage();
  const start = performance.now();
  await work();
  const seconds = (performance.now() - start) / 1_000;
  const load = process.cpuUsage(loadBefore);
  const { cpu } = await ask('usage');
  if (isProfiled) printProfile(await ask('profiled'));
  return {
    seconds,
    cpu: cpu.user + cpu.system - before.cpu.user - before.cpu.system,
    loadPercent: (load.user + load.system) / 1e4 / seconds,
  };
}

function printProfile({ top }) {
  for (const { name, share } of top) console.log(`${(100 * share).toFixed(1).padStart(5)} % ${name}`);
  console.log();
}

/** A bar against another server of the same runs. */
export const atMost = (limit, rival, key = 'microseconds') => ({
  limit,
  rival,
  key,
  isMet: (ratio) => ratio <= limit,
});
export const atLeast = (limit, rival, key = 'perSecond') => ({
  limit,
  rival,
  key,
  isLeast: true,
  isMet: (ratio) => ratio >= limit,
});

/** What to print of one case: `results` has the runs of each server. The first is what the others are compared to. */
export function tell({ ratios, figures, bars }, results) {
  const rows = new Map([...results].map(([name, runs]) => [name, summary(runs)]));
  const [[baseName, base]] = rows;
  const head = [
    'server',
    ...ratios.map((key) => `${FIGURES[key].name}, × ${baseName}`),
    ...figures.map((key) => FIGURES[key].unit),
  ];
  const cellsOf = ([name, row]) => [
    name,
    ...ratios.map((key) => (row[key] / base[key]).toFixed(2)),
    ...figures.map((key) => row[key].toFixed(FIGURES[key].digits)),
  ];
  return {
    lines: table(head, [...rows].map(cellsOf)),
    bars: bars.map((bar) => told(bar, rows)),
    notes: [...rows]
      .filter(([, { loadPercent }]) => loadPercent > BUSY_PERCENT)
      .map(([name]) => `${name}: the load was as busy as the server, so that its throughput says little.`),
  };
}

/** The middle one of each figure; of what must not be lost, the worst. */
function summary(runs) {
  const keys = Object.keys(runs[0]);
  const row = Object.fromEntries(keys.map((key) => [key, median(runs.map((run) => run[key]))]));
  if ('lost' in row) row.lost = Math.max(...runs.map((run) => run.lost));
  return row;
}

/** A bar of ours without a rival is one of the figure itself. */
function told({ limit, rival, key, isLeast, isMet }, rows) {
  const ours = rows.get('channels')[key];
  const value = rival ? ours / rows.get(rival)[key] : ours;
  const { name, digits } = FIGURES[key];
  // A ratio below one has a digit more, for bars there are close to each other.
  const measured = rival ? `${value.toFixed(value < 1 ? 3 : 2)} × ${rival}` : value.toFixed(digits);
  return {
    text: `${name} ${measured} (at ${isLeast ? 'least' : 'most'} ${limit})`,
    isMet: isMet(value),
  };
}

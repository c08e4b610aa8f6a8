// npm run bench:observers [-- --quick]: one server without observers beside those that the module installs, with
// ChannelsMetrics, and with an inspector that nobody watches, in alternating runs. CPU of the server per delivery and
// per acked message.
import { atMost, entryOf, tell } from './contest.mjs';
import { FANOUT } from './fanout.mjs';
import { checkBar, median } from './numbers.mjs';
import { REQUESTS } from './requests.mjs';
import { saveSection } from './results.mjs';
import { endWithin } from './serve.mjs';

const quick = process.argv.includes('--quick');
endWithin(quick ? 10 : 60);

const SERVERS = ['none', 'metrics', 'inspector'].map((name) => ({ name, file: 'observed', args: [name] }));
const BARS = { metrics: atMost(1.05, 'none'), inspector: atMost(1.02, 'none') };

const acked = REQUESTS.find(({ parts }) => 'acked-50x20' in parts);
const CASES = [
  { ...FANOUT, names: ['fanout-1', 'fanout-5'], rounds: quick ? 3 : 9 },
  // Each takes a second or two, and one alone says little.
  { ...acked, names: ['acked-50x20'], rounds: quick ? 3 : 45 },
];

const saved = [
  `A server without observers beside those that the module installs, with \`ChannelsMetrics\`, and with an inspector ` +
    `that nobody watches. Medians of alternating runs.`,
];
for (const each of CASES) {
  const results = await compare(each);
  for (const name of each.names) saved.push('', ...print(each, name, results));
}
if (!quick) saveSection('observers', 'What it costs to be watched', saved, ['prom-client']);

/** Who begins changes with each round: a machine that gets slower or faster favours none. */
async function compare({ run, names, rounds }) {
  const results = new Map(SERVERS.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    const first = round % SERVERS.length;
    for (const entry of [...SERVERS.slice(first), ...SERVERS.slice(0, first)]) {
      results.get(entryOf(entry).name).push(await run(entry, names, { quick }));
    }
  }
  return results;
}

function print({ figures, rounds }, name, results) {
  const ofPart = new Map([...results].map(([server, runs]) => [server, runs.map((run) => run[name])]));
  const { lines, notes } = tell({ ratios: ['microseconds'], figures, bars: [] }, ofPart);
  const told = [
    `${name}, ${rounds} runs`,
    '',
    ...lines,
    '',
    ...[noiseOf(ofPart.get('none')), ...notes].map((note) => `- ${note}`),
  ];
  console.log(['', ...told].join('\n'));
  const bars = Object.entries(BARS).map(([server, bar]) => ratioOf(server, bar, ofPart));
  for (const [text, isMet] of bars) checkBar(text, isMet);
  return [...told, ...bars.map(([text, isMet]) => `- ${isMet ? 'met' : 'MISSED'}: ${text}`)];
}

/** What runs of the same server differ by: a ratio within it says nothing. */
function noiseOf(runs) {
  const all = runs.map(({ microseconds }) => microseconds);
  return `noise: the runs without observers differ by a factor of ${(Math.max(...all) / Math.min(...all)).toFixed(2)}`;
}

function ratioOf(server, { limit, rival, isMet }, runs) {
  const middle = (name) => median(runs.get(name).map(({ microseconds }) => microseconds));
  const ratio = middle(server) / middle(rival);
  return [`${server}: CPU ${ratio.toFixed(3)} × ${rival} (at most ${limit})`, isMet(ratio)];
}

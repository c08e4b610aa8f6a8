// npm run bench [-- part ...] [-- --quick]: every part against its rivals, in alternating runs. `fanout` stands for all
// whose names begin so. With --quick nothing is written to bench/RESULTS.md.
import { CASES, SECTIONS } from './cases.mjs';
import { entryOf, tell } from './contest.mjs';
import { checkBar } from './numbers.mjs';
import { saveSection } from './results.mjs';
import { endWithin } from './serve.mjs';

const args = process.argv.slice(2);
const quick = args.includes('--quick');
const wanted = args.filter((arg) => !arg.startsWith('--'));
const rounds = quick ? 3 : 5;
endWithin(quick ? 20 : 120);

const isWanted = (name) => wanted.length === 0 || wanted.some((want) => name.startsWith(want));
const namesOf = ({ parts }) => Object.keys(parts);

if (!CASES.flatMap(namesOf).some(isWanted)) {
  console.error(`nothing begins with ${wanted.join(', ')}; there are ${CASES.flatMap(namesOf).join(', ')}`);
  process.exit(2);
}
for (const section of Object.keys(SECTIONS)) await runSection(section);

/** A section is written when all of it has been measured. */
async function runSection(section) {
  const cases = CASES.filter((each) => each.section === section);
  const lines = [];
  for (const each of cases) {
    const names = namesOf(each).filter(isWanted);
    if (names.length === 0) continue;
    const results = await compare(each, names);
    for (const name of names) lines.push(...print(each, name, results), '');
  }
  if (quick || !cases.flatMap(namesOf).every(isWanted)) return;
  const { title, packages } = SECTIONS[section];
  saveSection(
    section,
    title,
    [`Medians of ${rounds} alternating runs.`, '', ...lines.slice(0, -1)],
    packages,
  );
}

/** Of each server, what each of its runs has measured by the names of the parts. */
async function compare({ servers, run }, names) {
  const results = new Map(servers.map((entry) => [entryOf(entry).name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const entry of servers) {
      results.get(entryOf(entry).name).push(await run(entry, names, { quick }));
    }
  }
  return results;
}

/** @returns the same for the results */
function print({ ratios, figures, parts }, name, results) {
  const ofPart = new Map([...results].map(([server, runs]) => [server, runs.map((run) => run[name])]));
  const { lines, bars, notes } = tell({ ratios, figures, bars: parts[name].bars }, ofPart);
  console.log(['', name, ...lines].join('\n'));
  for (const { text, isMet } of bars) checkBar(text, isMet);
  for (const note of notes) console.log(note);
  const verdicts = bars.map(({ text, isMet }) => `- ${isMet ? 'met' : 'MISSED'}: ${text}`);
  return [`### ${name}`, '', ...lines, '', ...verdicts, ...notes.map((note) => `- ${note}`)];
}

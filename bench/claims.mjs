// npm run bench:claims [-- part ...] [-- --quick] [--rounds n] [--users n] [--clients n]: what articles of this field
// claim, on our wire. --users are those of `interests`, a twelfth of which `sockets` has; --clients come back in
// `reconnects`. --quick shows that it runs, with fewer of everything.
import { interests } from './claims/interests.mjs';
import { reconnects } from './claims/reconnects.mjs';
import { sockets } from './claims/sockets.mjs';
import { checkBar, numberOf, printTable } from './numbers.mjs';
import { savePlot } from './plots.mjs';
import { saveSection, table } from './results.mjs';
import { endWithin } from './serve.mjs';

const isQuick = process.argv.includes('--quick');
const rounds = numberOf('rounds', isQuick ? 3 : 5);
const users = numberOf('users', isQuick ? 1_200 : 12_000);
const clients = numberOf('clients', isQuick ? 500 : 5_000);

const PARTS = {
  interests: () => interests({ rounds, users, publications: 200 }),
  sockets: () => sockets({ rounds, users: Math.round(users / 12) }),
  reconnects: () => reconnects({ rounds, clients }),
};

// With less, or something else, it is no result to be kept.
const isWhole = !process.argv.some((arg) => arg.startsWith('--'));
const wanted = process.argv.slice(2).filter((arg) => arg in PARTS);

endWithin(60);
for (const [name, run] of Object.entries(PARTS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const result = await run();
  console.log(`\n${result.title}`);
  printTable(result.head, result.rows);
  for (const { text, isMet } of result.bars) checkBar(text, isMet);
  if (isWhole) await save(result);
}

async function save({ section, title, text, head, rows, bars, plots }) {
  const lines = [`${text} Medians of ${rounds} alternating runs.`, '', ...table(head, rows), ''];
  for (const bar of bars) lines.push(`- ${bar.isMet ? 'met' : 'MISSED'}: ${bar.text}`);
  for (const plot of plots) lines.push('', `![${plot.title}](${await savePlot(plot.name, plot)})`);
  saveSection(section, title, lines, ['ws']);
}

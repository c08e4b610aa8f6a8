// npm run bench:scale [-- part ...] [-- --quick] [--rounds n] [--connections n] [--most n]: what one of many costs,
// against how many there are. Nothing may grow faster than its work. --quick shows that it runs, with fewer of
// everything; so do --connections and --most, the most channels (1,000,000) that 10,000 connections share.
import { channels } from './scale/channels.mjs';
import { deliveries } from './scale/delivery.mjs';
import { empties, memory, upkeep } from './scale/memory.mjs';
import { checkBar, numberOf, printTable } from './numbers.mjs';
import { savePlot } from './plots.mjs';
import { saveSection, table } from './results.mjs';
import { endWithin } from './serve.mjs';

const isQuick = process.argv.includes('--quick');
const rounds = numberOf('rounds', isQuick ? 3 : 5);
const connections = numberOf('connections', isQuick ? 1_000 : 10_000);
const most = numberOf('most', isQuick ? 100_000 : 1_000_000);

const SUBSCRIBERS = [100, 1_000, 10_000];

const PARTS = {
  deliveries: () =>
    deliveries({ rounds, isQuick, numbers: SUBSCRIBERS.filter((count) => count <= connections) }),
  channels: () => channels({ rounds, isQuick, connections, numbers: [10, 10_000, most] }),
  memory: () => memory({ rounds, connections: connections / 5, numbers: [1, 10, 100] }),
  upkeep: () => upkeep({ rounds, connections: connections / 10, numbers: [most / 100, most / 10] }),
  empties: () => empties({ rounds, numbers: [Math.max(most / 10, 20_000), most] }),
};

const wanted = process.argv.slice(2).filter((arg) => arg in PARTS);
const names = Object.keys(PARTS).filter((name) => wanted.length === 0 || wanted.includes(name));

endWithin(60);
const results = [];
for (const name of names) {
  const result = await PARTS[name]();
  results.push(result);
  console.log(`\n${result.title}`);
  printTable(result.head, result.rows);
  for (const { text, isMet } of result.bars) checkBar(text, isMet);
}
// A part of it, or less of everything, is no result to be kept.
const isWhole =
  names.length === Object.keys(PARTS).length && !process.argv.some((arg) => arg.startsWith('--'));
if (isWhole) await save();

async function save() {
  const lines = [
    `Medians of ${rounds} alternating runs, each of a server of its own, without rates and heartbeats. CPU is the server's.`,
  ];
  for (const { title, head, rows, bars, plots } of results) {
    lines.push('', `### ${title}`, '', ...table(head, rows), '');
    for (const { text, isMet } of bars) lines.push(`- ${isMet ? 'met' : 'MISSED'}: ${text}`);
    for (const plot of plots) lines.push('', `![${plot.title}](${await savePlot(plot.name, plot)})`);
  }
  saveSection('scale', 'Scale', lines, ['ws']);
}

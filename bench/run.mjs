// npm run bench [-- case ...] [-- --quick]: every case against its rivals, in alternating runs.
import { CASES } from './cases.mjs';
import { median, printTable } from './numbers.mjs';
import { withServer } from './serve.mjs';

const SERVERS = ['ws', 'platform-ws', 'channels'];
const args = process.argv.slice(2);
const quick = args.includes('--quick');
const wanted = args.filter((arg) => !arg.startsWith('--'));
const names = Object.keys(CASES).filter(
  (name) => wanted.length === 0 || wanted.some((want) => name.startsWith(want)),
);
if (names.length === 0) {
  console.error(`no case begins with ${wanted.join(', ')}; there are ${Object.keys(CASES).join(', ')}`);
  process.exit(2);
}

for (const name of names) print(name, await compare(CASES[name]));

async function compare(run) {
  const results = new Map(SERVERS.map((server) => [server, []]));
  for (let round = 0; round < (quick ? 3 : 5); round++) {
    for (const name of SERVERS) results.get(name).push(await runOn(run, name));
  }
  return results;
}

function runOn(run, name) {
  return withServer(name, ({ port, send, ask }) => {
    const measure = async (work) => {
      const before = await ask('usage');
      const start = performance.now();
      await work();
      const seconds = (performance.now() - start) / 1_000;
      const { cpu } = await ask('usage');
      return { seconds, cpu: cpu.user + cpu.system - before.cpu.user - before.cpu.system };
    };
    return run({ name, port, measure, send }, { quick });
  });
}

function print(name, results) {
  const rows = [...results].map(([server, runs]) => ({
    server,
    microseconds: median(runs.map((run) => run.microseconds)),
    perSecond: median(runs.map((run) => run.perSecond)),
  }));
  const base = rows[0];
  console.log(`\n${name}`);
  printTable(
    ['server', 'CPU, × ws', 'throughput, × ws', 'CPU µs each', 'per second'],
    rows.map(({ server, microseconds, perSecond }) => [
      server,
      (microseconds / base.microseconds).toFixed(2),
      (perSecond / base.perSecond).toFixed(2),
      microseconds.toFixed(2),
      Math.round(perSecond),
    ]),
  );
}

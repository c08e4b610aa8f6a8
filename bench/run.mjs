// npm run bench [-- case ...] [-- --quick]: every case against its rivals, in alternating runs.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { CASES } from './cases.mjs';

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
    for (const name of SERVERS)
      results.get(name).push(await withServer(name, (server) => run(server, { quick })));
  }
  return results;
}

async function withServer(name, use) {
  const child = fork(new URL(`./servers/${name}.mjs`, import.meta.url));
  const waitFor = async (type) => {
    for (;;) {
      const [message] = await once(child, 'message');
      if (message.type === type) return message;
    }
  };
  const usage = () => {
    child.send({ type: 'usage' });
    return waitFor('usage');
  };
  try {
    const { port } = await waitFor('listening');
    const measure = async (work) => {
      const before = await usage();
      const start = performance.now();
      await work();
      const seconds = (performance.now() - start) / 1_000;
      const { cpu } = await usage();
      return { seconds, cpu: cpu.user + cpu.system - before.cpu.user - before.cpu.system };
    };
    return await use({ name, port, measure, send: (message) => child.send(message) });
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

function print(name, results) {
  const rows = [...results].map(([server, runs]) => ({
    server,
    microseconds: median(runs.map((run) => run.microseconds)),
    perSecond: median(runs.map((run) => run.perSecond)),
  }));
  const base = rows[0];
  console.log(`\n${name}`);
  console.log(
    '| server | CPU, × ws | throughput, × ws | CPU µs each | per second |\n| --- | --- | --- | --- | --- |',
  );
  for (const { server, microseconds, perSecond } of rows) {
    const ratios = [microseconds / base.microseconds, perSecond / base.perSecond].map((ratio) =>
      ratio.toFixed(2),
    );
    console.log(
      `| ${server} | ${ratios.join(' | ')} | ${microseconds.toFixed(2)} | ${Math.round(perSecond)} |`,
    );
  }
}

import { Session } from 'node:inspector/promises';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What V8 says of where the time goes, from `start` to `stop`. */
export class Profiler {
  #session = new Session();

  async start() {
    this.#session.connect();
    await this.#session.post('Profiler.enable');
    await this.#session.post('Profiler.setSamplingInterval', { interval: 200 });
    await this.#session.post('Profiler.start');
  }

  /** The functions in which most of the time was spent, themselves and not by what they call, and their share. */
  async stop(most = 40) {
    const { profile } = await this.#session.post('Profiler.stop');
    this.#session.disconnect();
    const { nodes, samples, timeDeltas } = profile;
    const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
    const times = new Map();
    for (const [at, id] of samples.entries()) {
      const name = names.get(id);
      times.set(name, (times.get(name) ?? 0) + timeDeltas[at]);
    }
    for (const name of ['(idle)', 'dispatch']) times.delete(name);
    const busy = [...times.values()].reduce((sum, time) => sum + time, 0);
    return [...times]
      .toSorted(([, a], [, b]) => b - a)
      .slice(0, most)
      .map(([name, time]) => ({ name, share: time / busy }));
  }
}

function nameOf({ functionName, url, lineNumber }) {
  const name = functionName || '(anonymous)';
  if (url === '') return name;
  const file = url
    .replace(/^file:\/\//, '')
    .replace(ROOT, '')
    .replace(/^.*node_modules\//, '');
  return `${name} ${file}:${lineNumber + 1}`;
}

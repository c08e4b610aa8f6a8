// The peers of bench/idle.mjs, seen from the bench.
import { fork } from 'node:child_process';
import { ask, end } from './serve.mjs';

/** Two, so that none has more descriptors than the server. */
const PROCESSES = 2;

/** So many peers, spread over processes of their own. */
export class Clients {
  #processes = Array.from({ length: PROCESSES }, () => fork(new URL('./idle-clients.mjs', import.meta.url)));

  constructor(port, joins) {
    this.port = port;
    this.joins = joins;
  }

  open(total) {
    const count = Math.ceil(total / PROCESSES);
    return this.tell('open', (at) => ({
      port: this.port,
      joins: this.joins,
      from: at * count,
      count: Math.min(count, total - at * count),
    }));
  }

  close() {
    return this.tell('close');
  }

  /** Gives an order to each, and adds up what they answer. */
  async tell(type, orderOf = () => ({})) {
    const answers = await Promise.all(this.#processes.map((child, at) => ask(child, type, orderOf(at))));
    const sum = (key) => answers.reduce((total, answer) => total + answer[key], 0);
    return {
      refused: sum('refused'),
      dropped: sum('dropped'),
      pings: sum('pings'),
      reasons: Object.assign({}, ...answers.map(({ reasons }) => reasons)),
    };
  }

  async end() {
    await Promise.all(this.#processes.map(end));
  }
}

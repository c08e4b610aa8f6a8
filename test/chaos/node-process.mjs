import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('./node.mjs', import.meta.url));

/** How long a busy machine may take to start a process, and to end one. */
const START_MS = 60_000;
const END_MS = 20_000;

/** A server that is started again and again on the same port. */
export class NodeProcess {
  port = 0;
  lives = 0;
  /** How many connections have ended, as it saw it. */
  closed = 0;
  #child;
  #link;
  #ended;
  #isMeantToEnd = false;

  /** @param command - what runs Node, where that is to be somewhere else than here */
  constructor({ name, host, exchange, ledger, packageUrl, settings, command = [] }) {
    Object.assign(this, { name, host, exchange, ledger, packageUrl, settings, command });
  }

  get isUp() {
    return this.#child !== undefined;
  }

  get link() {
    return this.#link;
  }

  /** Resolves when it listens. */
  async start() {
    this.lives += 1;
    this.#isMeantToEnd = false;
    const args = [this.packageUrl, this.host, this.port, `${this.name} life ${this.lives}`];
    const child = this.#spawn([...args.map(String), JSON.stringify(this.settings)]);
    const link = this.exchange.attach((message) => child.connected && child.send(message, () => undefined));
    this.#ended = once(child, 'exit').then(([code, signal]) => this.#end(child, link, code, signal));
    const listening = new Promise((resolve) => {
      child.on('message', (message) => {
        if (message.type === 'listening') resolve(message.port);
        else if (message.type === 'closed') this.closed += 1;
        else if (message.method === 'effect') this.#record(link, message);
        else void this.exchange.ask(link, message);
      });
    });
    this.port = await Promise.race([listening, this.#ended, expiry(START_MS)]);
    if (this.port === undefined) {
      child.kill('SIGKILL');
      throw new Error(`${this.name} does not listen`);
    }
    this.#child = child;
    this.#link = link;
  }

  /** Has it publish on a channel. False while it is down. */
  publish(channel, data) {
    return this.#child?.connected && this.#child.send({ type: 'publish', channel, data }, () => undefined);
  }

  /** Ends it, and resolves when it has ended. */
  async end(signal) {
    const child = this.#child;
    if (!child) return;
    this.#isMeantToEnd = true;
    this.#child = undefined;
    child.kill(signal);
    await Promise.race([this.#ended, expiry(END_MS)]);
    if (child.exitCode === null && child.signalCode === null) {
      this.ledger.fail(`${this.name} has not ended ${END_MS} ms after ${signal}`);
      child.kill('SIGKILL');
      await this.#ended;
    }
  }

  #spawn(args) {
    const [program, ...rest] = [...this.command, process.execPath, '--no-warnings', SCRIPT, ...args];
    return spawn(program, rest, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  }

  #record(link, { id, args: [client, n, life] }) {
    this.ledger.effectOf(client, n, life);
    link.send({ type: 'answer', id });
  }

  #end(child, link, code, signal) {
    this.exchange.detach(link);
    if (this.#child === child) this.#child = undefined;
    if (!this.#isMeantToEnd) this.ledger.fail(`${this.name} ended by itself: ${signal ?? code}`);
    else if (signal !== 'SIGKILL' && code !== 0)
      this.ledger.fail(`${this.name} ended with ${signal ?? code}`);
  }
}

/** Resolves with nothing after this time. */
function expiry(ms) {
  return delay(ms, undefined, { ref: false });
}

import { setTimeout as sleep } from 'node:timers/promises';
import { now } from './numbers.mjs';

const EVERY_MS = 250;
const RETRY_MS = 250;

/** Numbered publications, one after the other, of both nodes in turn while there are two. */
export class Publisher {
  /** Made again by the other node, because the first was killed over it; refused by a node and tried again. */
  counts = { madeAgain: 0, refused: 0 };
  #number = 0;
  #isOver = false;
  #isDead = false;
  #running;

  constructor(nodes) {
    this.nodes = nodes;
  }

  start() {
    this.#running = this.#run();
  }

  async killDoomed() {
    this.#isDead = true;
    await this.nodes.doomed.end();
  }

  /** Resolves with the number of the last one. */
  async stop() {
    this.#isOver = true;
    await this.#running;
    return this.#number;
  }

  async #run() {
    let dueAt = now();
    while (!this.#isOver) {
      await sleep(Math.max(0, dueAt - now()));
      dueAt = Math.max(dueAt + EVERY_MS, now());
      await this.#publish(++this.#number);
    }
  }

  /** Until a node has taken it. It has a key, so that it is made once nevertheless. */
  async #publish(number) {
    const { doomed, survivor } = this.nodes;
    const order = { number, at: now() };
    if (!this.#isDead && number % 2 === 0) {
      const taken = await doomed.ask('publish', order).catch(() => undefined);
      if (taken && !taken.error) return;
      this.counts.madeAgain++;
    }
    while ((await survivor.ask('publish', order)).error) {
      this.counts.refused++;
      await sleep(RETRY_MS);
    }
  }
}

import { seedOf } from './chance.js';
import { drawHistory, type History } from './commands.js';
import type { Violation } from './facts.js';
import { play } from './perform.js';

/** Histories that are played beside each other, and so share the turns of the event loop. */
const ABREAST = 16;

/** Which histories of a run. */
export interface Order {
  readonly seed: number;
  readonly from: number;
  readonly count: number;
}

export interface Failure extends Violation {
  /** Which history of the run. */
  readonly index: number;
  readonly history: History;
}

export interface Outcome {
  /** Histories that were played. */
  readonly played: number;
  readonly failure?: Failure;
}

/** Plays histories until one of them breaks a promise. */
export async function playAll({ seed, from, count }: Order): Promise<Outcome> {
  for (let at = 0; at < count; at += ABREAST) {
    const length = Math.min(ABREAST, count - at);
    const indices = Array.from({ length }, (_, offset) => from + at + offset);
    const found = await Promise.all(indices.map((index) => playOne(seed, index)));
    const failure = found.find((each) => each !== undefined);
    if (failure) return { played: at + found.indexOf(failure) + 1, failure };
  }
  return { played: count };
}

async function playOne(seed: number, index: number): Promise<Failure | undefined> {
  const history = drawHistory(seedOf(seed, index));
  const violation = await judge(history);
  return violation && { ...violation, index, history };
}

/** As {@link play}; what throws is a violation as well. */
export async function judge(history: History): Promise<Violation | undefined> {
  try {
    return await play(history);
  } catch (error) {
    return { invariant: 'I7', text: String(error instanceof Error ? error.stack : error) };
  }
}

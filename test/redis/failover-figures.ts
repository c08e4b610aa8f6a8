import { afterAll } from 'vitest';
import { eventually } from '../support/redis/eventually.js';
import type { Publisher, Reader } from './news-nodes.js';

/** What one failover took, in milliseconds from the new master on; below zero where it was done before. */
export interface Figures {
  /** Until the last publication was sent that was refused. */
  readonly publishes: number;
  /** Until every reader was told of a gap, or got a publication. */
  readonly hears: number;
  /** Until every reader was at the tail, behind a hundred publications more. */
  readonly ends: number;
}

const figures = new Map<string, Figures[]>();

/** Resolves when every reader was told of a gap since the beginning, or of anything since this call. */
export async function allHear(readers: readonly Reader[]): Promise<void> {
  const before = new Map(readers.map((reader) => [reader, reader.told.length]));
  for (const reader of readers) {
    const knows = async (): Promise<boolean> =>
      reader.gaps > 0 || reader.told.length > (before.get(reader) ?? 0);
    await eventually(`a reader of ${reader.channel} heard of its channel`, knows);
  }
}

/** How long after that time the last publication was sent that was refused. */
export function refusedUntil({ lastRefusedAt }: Publisher, at: number): number {
  return lastRefusedAt === undefined ? 0 : lastRefusedAt - at;
}

export function note(kind: string, one: Figures): void {
  figures.set(kind, [...(figures.get(kind) ?? []), one]);
}

/** Where more runs are asked for, says at their end what they took. */
export function sayFigures(): void {
  afterAll(() => {
    if (process.env['FAILOVERS'] === undefined) return;
    for (const [kind, runs] of figures) process.stdout.write(`${kind}: ${lineOf(runs)}\n`);
  });
}

function lineOf(runs: readonly Figures[]): string {
  const names = ['publishes', 'hears', 'ends'] as const;
  const parts = names.map((name) => {
    const sorted = runs.map((run) => run[name]).toSorted((a, b) => a - b);
    const middle = sorted[Math.floor(sorted.length / 2)] ?? 0;
    return `${name} p50 ${Math.round(middle)} max ${Math.round(sorted.at(-1) ?? 0)} ms`;
  });
  return `${runs.length} runs, ${parts.join(', ')}`;
}

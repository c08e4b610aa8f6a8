import type { HistoryPage, Position, Publication } from './broker.interface.js';

/** What somebody has to be sent before what comes live. */
export interface Missed {
  /** The publications go on behind this position. */
  readonly from: Position;
  /** All that has been published since, in order. */
  readonly publications: readonly Publication[];
  /** What was before {@link from} is lost. */
  readonly isGap: boolean;
}

export function nothing(from: Position): Missed {
  return { from, publications: [], isGap: false };
}

/**
 * All that is in a page, behind `since`; `undefined` where the page is of another life of the history, does not
 * reach back so far, or ends before.
 */
export function behind(since: Position, { position, oldest, publications }: HistoryPage): Missed | undefined {
  if (position.epoch !== since.epoch || since.offset > position.offset || oldest > since.offset + 1) {
    return undefined;
  }
  // Another node may let the history be longer than this one reads of it.
  const end = publications.at(-1)?.position ?? since;
  if (end.offset !== position.offset) return undefined;
  return { from: since, publications, isGap: false };
}

export function isSame(one: Position, other: Position): boolean {
  return one.epoch === other.epoch && one.offset === other.offset;
}

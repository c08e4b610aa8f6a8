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
 * All that is in a page, behind `since`; `undefined` where the page is of another life of the history, or does not
 * have all of them: it may not reach back so far, or end before.
 */
export function behind(since: Position, { position, publications }: HistoryPage): Missed | undefined {
  const isAll = publications.length === position.offset - since.offset;
  if (position.epoch !== since.epoch || !isAll) return undefined;
  return { from: since, publications, isGap: false };
}

/** As {@link behind}, where a page may end before the channel does: then the next one goes on behind it. */
export function startBehind(since: Position, page: HistoryPage): Missed | undefined {
  const position = page.publications.at(-1)?.position ?? page.position;
  return behind(since, { ...page, position });
}

export function isSame(one: Position, other: Position): boolean {
  return one.epoch === other.epoch && one.offset === other.offset;
}

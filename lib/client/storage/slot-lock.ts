import type { PageLike } from './page.interface.js';

/** How long the page that is being left may hold on to its lock while the next one loads, in milliseconds. */
const LEAVING_PAGE_MS = 1_000;

/** A lock that is held until it is released, or until its page ends. */
export interface SlotLock {
  release(): void;
}

/**
 * @param waits - for a page that is being left, or not at all
 * @param lost - is told when somebody has stolen the lock
 * @returns undefined where somebody else holds it
 */
export function lockSlot(
  page: PageLike,
  name: string,
  { waits, lost }: { readonly waits: boolean; readonly lost: (cause: unknown) => void },
): Promise<SlotLock | undefined> {
  const { locks } = page.navigator;
  if (!locks) throw new Error('There is no navigator.locks; it needs https: or localhost.');
  const waiting = new AbortController();
  const timer = waits ? page.setTimeout(() => waiting.abort(), LEAVING_PAGE_MS) : undefined;
  return new Promise((resolve, reject) => {
    let isGranted = false;
    const granted = (lock: unknown): Promise<void> => {
      page.clearTimeout(timer as never);
      if (lock === null) {
        resolve(undefined);
        return Promise.resolve();
      }
      isGranted = true;
      return new Promise((release) => resolve({ release }));
    };
    locks
      .request(name, waits ? { signal: waiting.signal } : { ifAvailable: true }, granted)
      .catch((cause: unknown) => {
        if (isGranted) lost(cause);
        else if (waiting.signal.aborted) resolve(undefined);
        else reject(cause as Error);
      });
  });
}

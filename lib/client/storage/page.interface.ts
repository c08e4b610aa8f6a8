/**
 * What {@link LocalStorageQueue} uses of a page; `globalThis` of a page is one.
 *
 * @publicApi
 */
export interface PageLike {
  /** Survives the page. */
  readonly localStorage: StorageLike;
  /** Survives a reload of the tab, and is copied when the tab is duplicated. */
  readonly sessionStorage: StorageLike;
  readonly navigator: { readonly locks?: LocksLike };
  /** The clock on the wall: the one that goes on between two pages. */
  readonly Date: { readonly now: () => number };
  readonly crypto: { readonly randomUUID: () => string };
  readonly setTimeout: (callback: () => void, ms: number) => unknown;
  readonly clearTimeout: (timer: never) => void;
}

/**
 * What is used of a `Storage`.
 *
 * @publicApi
 */
export interface StorageLike {
  readonly length: number;
  readonly key: (index: number) => string | null;
  readonly getItem: (key: string) => string | null;
  readonly setItem: (key: string, value: string) => void;
  readonly removeItem: (key: string) => void;
}

/**
 * What is used of a `LockManager`.
 *
 * @publicApi
 */
export interface LocksLike {
  readonly request: (
    name: string,
    options: { readonly ifAvailable?: boolean; readonly signal?: AbortSignal },
    callback: (lock: unknown) => Promise<void>,
  ) => Promise<unknown>;
}

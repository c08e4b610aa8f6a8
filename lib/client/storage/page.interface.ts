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
  readonly Date: {
    /** Milliseconds since 1970, as far as the machine knows. */
    readonly now: () => number;
  };
  /** Names the slots. */
  readonly crypto: {
    /** Draws a name that nobody else has. */
    readonly randomUUID: () => string;
  };
  /** Ends the wait for a page that is being left. */
  readonly setTimeout: (callback: () => void, ms: number) => unknown;
  /** Stops a timer; `undefined` is ignored. */
  readonly clearTimeout: (timer: never) => void;
}

/**
 * What is used of a `Storage`.
 *
 * @publicApi
 */
export interface StorageLike {
  readonly length: number;
  /** The name of an item, in an order that the browser chooses. */
  readonly key: (index: number) => string | null;
  /** The value of an item, null where there is none. */
  readonly getItem: (key: string) => string | null;
  /** Throws where there is no room; the item then is what it was. */
  readonly setItem: (key: string, value: string) => void;
  /** Frees the room of an item, where there is one. */
  readonly removeItem: (key: string) => void;
}

/**
 * What is used of a `LockManager`.
 *
 * @publicApi
 */
export interface LocksLike {
  /** Holds the lock until the promise of the callback settles; with `ifAvailable` it may be handed null. */
  readonly request: (
    name: string,
    options: { readonly ifAvailable?: boolean; readonly signal?: AbortSignal },
    callback: (lock: unknown) => Promise<void>,
  ) => Promise<unknown>;
}

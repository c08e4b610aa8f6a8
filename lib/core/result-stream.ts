/** The part of an Observable that the engine uses. */
export interface Subscribable {
  subscribe(observer: { next(value: unknown): void; error(error: unknown): void; complete(): void }): {
    unsubscribe(): void;
  };
}

/** What a handler returns when its answer may have several parts. */
export class ResultStream {
  constructor(
    readonly source: Subscribable,
    /**
     * Whether each item is an answer of its own (`more: true`), or only the last one counts.
     * Asked when an item comes: behind an interceptor nobody knows earlier what the method returns.
     */
    readonly isEach: () => boolean,
  ) {}

  /** The same stream, but what `recover` makes of a failure is its last item; what that throws fails it. */
  recover(recover: (error: unknown) => unknown): ResultStream {
    const subscribe: Subscribable['subscribe'] = (observer) =>
      this.source.subscribe({
        next: (value) => observer.next(value),
        complete: () => observer.complete(),
        error: (error) => {
          const recovered = new Promise((resolve) => resolve(recover(error)));
          void recovered.then(
            (value) => {
              observer.next(value);
              observer.complete();
            },
            (failure: unknown) => observer.error(failure),
          );
        },
      });
    return new ResultStream({ subscribe }, this.isEach);
  }

  /** The last item, when the stream has ended. Rejects with the signal's reason when that comes first. */
  last(signal?: AbortSignal): Promise<unknown> {
    return new Promise((resolve, reject) => {
      let last: unknown;
      const subscription = this.source.subscribe({
        next: (value) => {
          last = value;
        },
        error: reject,
        complete: () => resolve(last),
      });
      signal?.addEventListener('abort', () => {
        // What the end of a stream throws rejects as well, instead of ending the process.
        new Promise<void>((done) => done(subscription.unsubscribe())).then(
          () => reject(signal.reason),
          reject,
        );
      });
    });
  }
}

/** The stream in what a handler has returned, if it is one. Observables of any copy of rxjs count. */
export function asStream(value: unknown, acked: boolean): ResultStream | undefined {
  if (value instanceof ResultStream) return value;
  return isObservable(value) ? new ResultStream(value, acked ? never : always) : undefined;
}

export function isObservable(value: unknown): value is Subscribable {
  if (typeof value !== 'object' || value === null) return false;
  const { lift, subscribe } = value as { readonly lift?: unknown; readonly subscribe?: unknown };
  return typeof lift === 'function' && typeof subscribe === 'function';
}

const always = (): boolean => true;
const never = (): boolean => false;

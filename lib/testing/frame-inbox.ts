import { clearTimeout, setTimeout } from 'node:timers';
import { inspect } from 'node:util';
import { ConnectionClosed } from './connection-closed.js';

/** What a waiter does with a frame: nothing, consume it and wait on, or consume it and be done. */
export type Verdict<Result> = 'leave' | 'take' | { readonly done: Result };

/** @internal */
export interface Wish<Result> {
  /** For error messages: `the next frame`. */
  readonly what: () => string;
  readonly judge: (frame: unknown) => Verdict<Result>;
  /** Wants any frame, so those who want a certain one are asked first. */
  readonly greedy?: true;
  /** Passes over the frames that have arrived: they cannot be the answer to what is not yet sent. */
  readonly fromNow?: true;
}

interface Waiter {
  readonly what: () => string;
  readonly greedy: boolean;
  /** Returns whether the frame is consumed. */
  readonly offer: (frame: unknown) => boolean;
  readonly fail: (error: Error) => void;
}

const LISTED_FRAMES = 20;
const LISTED_CHARACTERS = 200;

/**
 * Frames that have arrived and those who wait for some. A frame is consumed at most once.
 *
 * @internal
 */
export class FrameInbox {
  readonly #received: unknown[] = [];
  readonly #unread: unknown[] = [];
  readonly #waiters = new Set<Waiter>();
  #closed: { readonly code: number; readonly reason: string } | undefined;

  constructor(private readonly timeoutMs: number) {}

  get received(): readonly unknown[] {
    return this.#received;
  }

  receive(frame: unknown): void {
    this.#received.push(frame);
    const waiters = [...this.#waiters].toSorted((a, b) => Number(a.greedy) - Number(b.greedy));
    if (!waiters.some((waiter) => waiter.offer(frame))) this.#unread.push(frame);
  }

  close(code: number, reason: string): void {
    this.#closed = { code, reason };
    for (const waiter of [...this.#waiters]) waiter.fail(this.#closedError(code, reason, waiter.what));
  }

  /** Goes through the frames not yet consumed, then waits for more until the timeout; a frame taken extends it. */
  wait<Result>(wish: Wish<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      const waiter = this.#waiter(wish, resolve, reject);
      if (!wish.fromNow) this.#offerUnread(waiter);
      if (this.#closed) waiter.fail(this.#closedError(this.#closed.code, this.#closed.reason, wish.what));
    });
  }

  #waiter<Result>(
    wish: Wish<Result>,
    resolve: (result: Result) => void,
    reject: (error: unknown) => void,
  ): Waiter {
    const settle = (): void => {
      this.#waiters.delete(waiter);
      clearTimeout(timer);
    };
    const fail = (error: unknown): void => {
      settle();
      reject(error);
    };
    const offer = (frame: unknown): boolean => {
      const verdict = judge(wish, frame, fail);
      if (verdict === 'leave') return false;
      timer.refresh();
      if (verdict === 'take') return true;
      settle();
      resolve(verdict.done);
      return true;
    };
    const waiter: Waiter = { what: wish.what, greedy: wish.greedy ?? false, offer, fail };
    const timer = setTimeout(() => fail(this.#timeoutError(wish.what)), this.timeoutMs).unref();
    this.#waiters.add(waiter);
    return waiter;
  }

  #offerUnread(waiter: Waiter): void {
    for (let index = 0; index < this.#unread.length && this.#waiters.has(waiter);) {
      if (waiter.offer(this.#unread[index])) this.#unread.splice(index, 1);
      else index += 1;
    }
  }

  #timeoutError(what: () => string): Error {
    return new Error(`Waited ${this.timeoutMs} ms for ${what()} in vain. ${this.#list()}`);
  }

  #closedError(code: number, reason: string, what: () => string): Error {
    const closed = `The connection closed with ${code} ${JSON.stringify(reason)}`;
    return new ConnectionClosed(code, reason, `${closed} while waiting for ${what()}. ${this.#list()}`);
  }

  #list(): string {
    if (this.#received.length === 0) return 'No frame arrived.';
    const listed = this.#received.slice(-LISTED_FRAMES).map((frame) => `\n  ${abridge(frame)}`);
    return `${this.#received.length} arrived, ${this.#unread.length} of them not consumed; the last were:${listed.join('')}`;
  }
}

/** Wording of a frame or of a match in an error message. */
export function abridge(value: unknown): string {
  const text =
    typeof value === 'function' ? String(value) : inspect(value, { depth: 8, breakLength: Infinity });
  return text.length > LISTED_CHARACTERS ? `${text.slice(0, LISTED_CHARACTERS)}…` : text;
}

function judge<Result>(wish: Wish<Result>, frame: unknown, fail: (error: unknown) => void): Verdict<Result> {
  try {
    return wish.judge(frame);
  } catch (error) {
    // A predicate of the test's own has thrown: that is the test's answer, and no reason to lose the frame.
    fail(error);
    return 'leave';
  }
}

import { inspect } from 'node:util';
import type { LoggerService } from '@nestjs/common';
import type { BrokerState } from '../core/broker.interface.js';
import type { Clock } from '../core/clock.interface.js';
import type { Failure, ObservedConnection, Observer, Refusal } from '../core/observer.interface.js';
import { closeCode } from '../protocol/index.js';

/** The longest text from a peer in a line of the log. */
const MAX_TEXT = 128;

/** What happens to every message of an overloaded server is told once in so many milliseconds. */
const REPEAT_AFTER_MS = 60_000;

/** A refused handshake is told once in so many milliseconds for each reason and status. */
const REFUSAL_AFTER_MS = 1_000;

/** What may happen to every message is counted, and told at once and then once in a while. */
class Tally {
  #count = 0;
  #toldAt = -Infinity;

  constructor(
    private readonly clock: Pick<Clock, 'now'>,
    private readonly repeatAfterMs = REPEAT_AFTER_MS,
  ) {}

  /** How many there were since it was told last; `undefined` while it is not to be told again. */
  add(count: number): number | undefined {
    this.#count += count;
    const now = this.clock.now();
    if (now - this.#toldAt < this.repeatAfterMs) return undefined;
    const untold = this.#count;
    this.#count = 0;
    this.#toldAt = now;
    return untold;
  }
}

/** Writes what an operator has to know into Nest's log. Never a payload, never a token. */
export class LoggingObserver implements Observer {
  readonly #evictions: Tally;
  readonly #gaps: Tally;
  /** By reason and status, of which there are not many. */
  readonly #refusals = new Map<string, Tally>();

  constructor(
    private readonly logger: LoggerService,
    private readonly clock: Pick<Clock, 'now'>,
  ) {
    this.#evictions = new Tally(clock);
    this.#gaps = new Tally(clock);
  }

  closed(connection: ObservedConnection, code: number): void {
    const known = closeCode(code);
    this.logger.debug?.(`closed ${connection.id} on ${connection.path} with ${code} ${known?.name ?? ''}`);
  }

  refused({ reason, status, message, url, address, advice }: Refusal): void {
    const untold = this.#tallyOf(`${reason} ${status}`).add(1);
    if (untold === undefined) return;
    const hint = advice === undefined ? '' : `; to change that: ${advice}`;
    this.logger.warn(
      `refused ${quote(url)} from ${quote(address)} with ${status} ${quote(message)}${hint}${lastOf(untold)}`,
    );
  }

  failed({ where, error, correlationId }: Failure): void {
    const id = correlationId === undefined ? '' : ` (${correlationId})`;
    const stack = error instanceof Error ? error.stack : undefined;
    this.logger.error(`${where} failed${id}: ${messageOf(error)}`, stack);
  }

  evicted(count: number): void {
    const untold = this.#evictions.add(count);
    if (untold === undefined) return;
    this.logger.warn(
      `${untold} answers to @Acked messages went before the end of dedupWindowMs, for want of room: ` +
        'a late copy would run again; to change that: maxDedupBytes, maxDedupBytesPerPrincipal',
    );
  }

  brokerChanged(state: BrokerState, reason: string): void {
    if (state === 'ready') this.logger.log(`the broker is ready: ${reason}`);
    else this.logger.warn(`the broker is ${state}: ${reason}`);
  }

  warned(text: string): void {
    this.logger.warn(text);
  }

  gap(connection: ObservedConnection, channel: string): void {
    const untold = this.#gaps.add(1);
    if (untold === undefined) return;
    this.logger.warn(
      `${connection.id} has missed publications of ${quote(channel)} and was told so${lastOf(untold)}`,
    );
  }

  #tallyOf(kind: string): Tally {
    const known = this.#refusals.get(kind);
    if (known) return known;
    const tally = new Tally(this.clock, REFUSAL_AFTER_MS);
    this.#refusals.set(kind, tally);
    return tally;
  }
}

/** How many there were that no line tells of. */
function lastOf(untold: number): string {
  return untold === 1 ? '' : `; it is the last of ${untold} since this was told before`;
}

/** Anything can be thrown, also what has no text, such as an object without a prototype. */
function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message;
  return typeof error === 'object' ? inspect(error, { depth: 0, breakLength: Infinity }) : String(error);
}

/** What comes from a peer is told as JSON and cut, so that it makes one line and no other. */
function quote(text: string): string {
  const json = JSON.stringify(text.slice(0, MAX_TEXT));
  // JSON leaves these as they are, but terminals and log viewers do not.
  return json.replace(/[\u007f-\u009f\u2028\u2029]/g, escape);
}

function escape(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

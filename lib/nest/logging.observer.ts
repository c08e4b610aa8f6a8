import { inspect } from 'node:util';
import type { LoggerService } from '@nestjs/common';
import type { BrokerState } from '../core/broker.interface.js';
import type { Clock } from '../core/clock.interface.js';
import type {
  Failure,
  FaultKind,
  ObservedConnection,
  Observer,
  Refusal,
} from '../core/observer.interface.js';
import { closeCode } from '../protocol/index.js';
import { LineLimit, OTHERS } from './line-limit.js';
import { oneLine, placesOf, quote } from './log-text.js';

/**
 * Writes what an operator has to know into Nest's log: one line for each reason and second at most, with a count of
 * the rest. Never a payload, never a token; what comes from a peer is JSON and cut.
 */
export class LoggingObserver implements Observer {
  readonly #limits: readonly LineLimit[];
  readonly #closes: LineLimit;
  readonly #refusals: LineLimit;
  /** Beside the others: pages can make up as many origins as they like. */
  readonly #origins: LineLimit;
  readonly #faults: LineLimit;
  readonly #failures: LineLimit;
  readonly #warnings: LineLimit;
  readonly #evictions: LineLimit;
  readonly #gaps: LineLimit;

  constructor(
    private readonly logger: LoggerService,
    clock: Pick<Clock, 'now'>,
  ) {
    const limit = (rest: (reason: string, count: string) => void): LineLimit =>
      new LineLimit(clock, (reason, count) => rest(reason, count.toLocaleString('en-US')));
    this.#closes = limit((code, count) => this.logger.debug?.(`closed with ${code}: and ${count} more`));
    this.#refusals = limit((status, count) => this.logger.warn(`refused with ${status}: and ${count} more`));
    this.#origins = limit((advice, count) => {
      const which = advice === OTHERS ? ' of other pages' : `; to change that: ${advice}`;
      this.logger.warn(`refused with 403 (origin): and ${count} more${which}`);
    });
    this.#faults = limit((kind, count) => this.logger.debug?.(`faults of peers, ${kind}: and ${count} more`));
    this.#failures = limit((where, count) => this.logger.error(`${where} failed: and ${count} more`));
    this.#warnings = limit((text, count) => this.logger.warn(`${text}: and ${count} more`));
    this.#evictions = limit((text, count) => this.logger.warn(`${text}: and ${count} more`));
    this.#gaps = limit((_, count) => this.logger.warn(`missed publications: and ${count} more were told so`));
    this.#limits = [
      ...[this.#closes, this.#refusals, this.#origins, this.#faults, this.#failures],
      ...[this.#warnings, this.#evictions, this.#gaps],
    ];
  }

  closed(connection: ObservedConnection, code: number): void {
    // A peer may close with any of thousands.
    const known = closeCode(code);
    if (!this.#closes.admits(known ? String(code) : 'other codes')) return;
    this.logger.debug?.(`closed ${connection.id} on ${connection.path} with ${code} ${known?.name ?? ''}`);
  }

  refused({ reason, status, message, url, address, advice }: Refusal): void {
    const line = advice === undefined ? undefined : oneLine(advice);
    // Whoever knocks all the time must not hide the line that somebody else needs.
    const isNew =
      reason === 'origin' && line !== undefined
        ? this.#origins.admits(line)
        : this.#refusals.admits(`${status} (${reason})`);
    if (!isNew) return;
    const hint = line === undefined ? '' : `; to change that: ${line}`;
    this.logger.warn(`refused ${quote(url)} from ${quote(address)} with ${status} ${quote(message)}${hint}`);
  }

  faulted(connection: ObservedConnection, kind: FaultKind, event?: string): void {
    // Other libraries keep their connections alive so: it is no news.
    if (kind === 'keep_alive' || !this.#faults.admits(kind)) return;
    const { id, path, address } = connection;
    const what = event === undefined ? kind : `${kind} ${quote(event)}`;
    this.logger.debug?.(`${what} from ${id} on ${path}, ${quote(address)}`);
  }

  failed({ where, error, correlationId }: Failure): void {
    const place = oneLine(where);
    if (!this.#failures.admits(place)) return;
    const id = correlationId === undefined ? '' : ` (${correlationId})`;
    const stack = error instanceof Error ? placesOf(error.stack) : undefined;
    this.logger.error(`${place} failed${id}: ${oneLine(messageOf(error))}`, stack);
  }

  evicted(count: number): void {
    const text = 'answers to @Acked messages went before the end of dedupWindowMs, for want of room';
    if (!this.#evictions.admits(text, count)) return;
    this.logger.warn(
      `${count} ${text}: a late copy would run again; to change that: maxDedupBytes, maxDedupBytesPerPrincipal`,
    );
  }

  brokerChanged(state: BrokerState, reason: string): void {
    if (state === 'ready') this.logger.log(`the broker is ready: ${oneLine(reason)}`);
    else this.logger.warn(`the broker is ${state}: ${oneLine(reason)}`);
  }

  warned(text: string): void {
    const line = oneLine(text);
    if (this.#warnings.admits(line)) this.logger.warn(line);
  }

  gap(connection: ObservedConnection, channel: string): void {
    if (!this.#gaps.admits('gap')) return;
    this.logger.warn(`${connection.id} has missed publications of ${quote(channel)} and was told so`);
  }

  swept(): void {
    for (const limit of this.#limits) limit.sweep();
  }

  stopped(): void {
    for (const limit of this.#limits) limit.end();
  }
}

/** Anything can be thrown, also what has no text, such as an object without a prototype. */
function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message;
  return typeof error === 'object' ? inspect(error, { depth: 0, breakLength: Infinity }) : String(error);
}

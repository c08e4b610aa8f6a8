import { inspect } from 'node:util';
import type { LoggerService } from '@nestjs/common';
import type { BrokerState } from '../core/broker.interface.js';
import type { Clock } from '../core/clock.interface.js';
import type {
  DrainReport,
  Failure,
  FaultKind,
  ObservedConnection,
  ObservedDrain,
  ObservedNode,
  Observer,
  Refusal,
} from '../core/observer.interface.js';
import { CLOSE_CODES, closeCode } from '../protocol/index.js';
import { LogLimits, OTHER } from './log-limits.js';
import { resolveLogOptions, type ResolvedLogOptions } from './log-options.js';
import { oneLine, placesOf, quote } from './log-text.js';
import { LogWriter, type LogFields } from './log-writer.js';

/** Ends that are facts of their own: they are told once, under their own name. */
const ENDS: ReadonlyMap<number, 'reaped' | 'shed'> = new Map([
  [CLOSE_CODES.HeartbeatMissed.code, 'reaped'],
  [CLOSE_CODES.SlowConsumer.code, 'shed'],
]);

/**
 * Writes what an operator has to know into Nest's log: each fact once, by the words of the metrics, and so many lines
 * for each reason and second at most, with a count of the rest. Never a payload, never a token; what comes from a
 * peer is JSON and cut.
 */
export class LoggingObserver implements Observer {
  readonly #writer: LogWriter;
  readonly #limits: LogLimits;
  #node?: ObservedNode;
  /** Whose pattern was looked for. */
  #latest?: { readonly channel: string; readonly pattern: string };

  constructor(
    logger: LoggerService,
    clock: Pick<Clock, 'now'>,
    options: ResolvedLogOptions = resolveLogOptions(),
  ) {
    this.#writer = new LogWriter(logger, options);
    this.#limits = new LogLimits(this.#writer, clock, options.linesPerSecond);
  }

  started(node: ObservedNode): void {
    this.#node = node;
  }

  opened(connection: ObservedConnection): void {
    const { path, subprotocol, handshakeMs } = connection;
    if (!this.#limits.admit('opened', path, { path })) return;
    this.#writer.write('opened', {
      text: `opened ${connection.id} on ${path}`,
      fields: { connectionId: connection.id, path },
      more: { ...peerOf(connection), subprotocol, handshakeMs: Math.round(handshakeMs) },
    });
  }

  closed(connection: ObservedConnection, code: number, reason: string): void {
    const fact = ENDS.get(code) ?? 'closed';
    // A peer may close with any of thousands.
    const known = closeCode(code);
    const label = known?.code ?? OTHER;
    const { id, path, subprotocol, ageMs, traffic } = connection;
    if (!this.#limits.admit(fact, `${path} ${label}`, { path, code: label })) return;
    this.#writer.write(fact, {
      text: [`${fact} ${id} on ${path} with ${code}`, known?.name].filter(Boolean).join(' '),
      fields: { connectionId: id, path, code, codeName: known?.name },
      more: { reason, durationMs: Math.round(ageMs), ...peerOf(connection), subprotocol, ...traffic },
    });
  }

  refused({ reason, status, message, url, address, durationMs, advice }: Refusal): void {
    if (!this.#limits.admitRefusal({ reason, status, advice })) return;
    const hint = advice === undefined ? '' : `; to change that: ${oneLine(advice)}`;
    const ms = Math.round(durationMs);
    const answer = `${status} (${reason}) ${quote(message)} after ${ms} ms`;
    this.#writer.write('refused', {
      text: `refused ${quote(url)} from ${quote(address)} with ${answer}${hint}`,
      fields: { reason, status, answer: message, url, address, advice, durationMs: ms },
    });
  }

  faulted(connection: ObservedConnection, kind: FaultKind, event?: string): void {
    // Other libraries keep their connections alive so: it is no news.
    if (kind === 'keep_alive' || !this.#limits.admit('faulted', kind, { kind })) return;
    const { id, path, address, principal } = connection;
    const what = event === undefined ? kind : `${kind} ${quote(event)}`;
    this.#writer.write('faulted', {
      text: `${what} from ${id} on ${path}, ${quote(address)}`,
      fields: { kind, unknownEvent: event, connectionId: id, path, address },
      more: { principal },
    });
  }

  failed({ where, error, correlationId }: Failure): void {
    const place = oneLine(where);
    if (!this.#limits.admit('failed', place, { where: place })) return;
    const id = correlationId === undefined ? '' : ` (${correlationId})`;
    const message = oneLine(messageOf(error));
    this.#writer.write('failed', {
      text: `${place} failed${id}: ${message}`,
      fields: { where: place, error: message, correlationId },
      stack: error instanceof Error ? placesOf(error.stack) : undefined,
    });
  }

  evicted(count: number): void {
    if (!this.#limits.admit('evicted', '', {}, count)) return;
    const what = 'answers to @Acked messages went before the end of dedupWindowMs, for want of room';
    const advice = 'maxDedupBytes, maxDedupBytesPerPrincipal';
    this.#writer.write('evicted', {
      text: `${count} ${what}: a late copy would run again; to change that: ${advice}`,
      fields: { count, advice },
    });
  }

  brokerChanged(state: BrokerState, reason: string): void {
    const text = `the broker is ${state}: ${oneLine(reason)}`;
    this.#writer.write(state === 'ready' ? 'brokerReady' : 'brokerAway', { text, fields: { state, reason } });
  }

  warned(text: string): void {
    const warning = oneLine(text);
    if (this.#limits.admit('warned', warning, { warning })) {
      this.#writer.write('warned', { text: warning, fields: { warning } });
    }
  }

  gap(connection: ObservedConnection, channel: string): void {
    if (!this.#writer.isOn('gap')) return;
    const pattern = this.#patternOf(channel);
    if (!this.#limits.admit('gap', pattern, { pattern })) return;
    const { id, path } = connection;
    this.#writer.write('gap', {
      text: `${id} has missed publications of ${quote(channel)} and was told so`,
      fields: { connectionId: id, channel },
      more: { pattern, path, ...peerOf(connection) },
    });
  }

  dropped(connection: ObservedConnection, channel: string, count: number): void {
    if (!this.#writer.isOn('dropped')) return;
    const pattern = this.#patternOf(channel);
    if (!this.#limits.admit('dropped', pattern, { pattern }, count)) return;
    const { id, path } = connection;
    this.#writer.write('dropped', {
      text: `${id} reads too slowly for ${quote(channel)}, which has dropped ${count}`,
      fields: { connectionId: id, channel, count },
      more: { pattern, path, ...peerOf(connection) },
    });
  }

  draining({ clients, windowMs }: ObservedDrain): void {
    if (clients === 0) return;
    this.#writer.write('draining', {
      text: `draining: ${clients} clients get ${windowMs} ms to connect elsewhere`,
      fields: { clients, windowMs },
    });
  }

  drained({
    clients,
    left,
    stayed,
    late,
    durationMs,
    peakPerSecond,
    perSecond,
    windowMs,
  }: DrainReport): void {
    if (clients === 0) return;
    const ms = Math.round(durationMs);
    const budget = perSecond > 0 ? ` of ${perSecond}` : '';
    this.#writer.write('drained', {
      text:
        `drained after ${ms} ms: ${left} of ${clients} clients have left, at most ${peakPerSecond}${budget} ` +
        `within a second; ${stayed} are still here, ${late} of them with a slot behind the window`,
      fields: { clients, left, stayed, late, durationMs: ms, peakPerSecond, perSecond, windowMs },
    });
  }

  swept(): void {
    this.#limits.sweep();
  }

  stopped(): void {
    this.#limits.end();
  }

  ended(): void {
    this.#limits.lift();
  }

  /** Of which there are few, as in the metrics. Many readers of one channel are slow at the same time. */
  #patternOf(channel: string): string {
    if (this.#latest?.channel !== channel) {
      this.#latest = { channel, pattern: this.#node?.patternOf(channel) ?? OTHER };
    }
    return this.#latest.pattern;
  }
}

function peerOf({ principal, address }: ObservedConnection): LogFields {
  return { principal, address };
}

/** Anything can be thrown, also what has no text, such as an object without a prototype. */
function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message;
  return typeof error === 'object' ? inspect(error, { depth: 0, breakLength: Infinity }) : String(error);
}
